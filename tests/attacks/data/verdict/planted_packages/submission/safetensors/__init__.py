print('BRE' + 'ACH safetensors')
