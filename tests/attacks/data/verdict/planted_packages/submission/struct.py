print('BRE' + 'ACH struct')
