"""What is known of models. Facts only, no opinions."""
