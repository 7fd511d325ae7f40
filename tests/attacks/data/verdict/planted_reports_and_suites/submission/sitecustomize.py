print('BRE' + 'ACH sitecustomize')
