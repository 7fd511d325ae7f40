#!/bin/sh
# First stage: take out of /opt/sandbox what a sandbox has no use for, then write all byte code.
# Nothing can be written to the image at run time, so a module without byte code would be compiled by every process.
set -eu
site=/opt/sandbox/lib/python3.11/site-packages

# Installers, and the headers for compilers that the image does not have.
rm -rf "$site"/pip "$site"/pip-* "$site"/setuptools "$site"/setuptools-* "$site"/pkg_resources "$site"/_distutils_hack \
       "$site"/distutils-precedence.pth "$site"/torch/include "$site"/torch/share
rm -f /opt/sandbox/bin/pip* /opt/sandbox/bin/[Aa]ctivate*

# unchecked-hash: the sources cannot change, so imports need not look at their times.
# py312_*: files of torch's own tests in the syntax of a later Python, which no module imports on this one.
/opt/sandbox/bin/python -I -m compileall -q -j 0 --invalidation-mode unchecked-hash -x '/py312_[a-z_]*\.py$' "$site"
