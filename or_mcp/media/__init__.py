"""What a picture, a speech, a video and a transcript are: which model makes one, what is sent, what comes of it."""
