print('BRE' + 'ACH json')
