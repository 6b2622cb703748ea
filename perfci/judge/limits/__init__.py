"""What absolute limits are held against: values of one round, with what is certain about each."""
