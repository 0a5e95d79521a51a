package main

func floats() {}
