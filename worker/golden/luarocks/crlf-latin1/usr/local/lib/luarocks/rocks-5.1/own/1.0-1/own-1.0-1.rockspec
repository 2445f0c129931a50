description = {
   license = 'Frée'
}
