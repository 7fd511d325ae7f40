print('BRE' + 'ACH usercustomize')
