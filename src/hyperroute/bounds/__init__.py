"""What any one request may cost at worst. Pure; what is not attained is never called exact."""
