print('BRE' + 'ACH session')
