"""Results as web pages: `site` writes them, a table of all submissions and a page for each.

Every file stands alone: no network, no font, no script from elsewhere, and a content security policy that says so.
"""
