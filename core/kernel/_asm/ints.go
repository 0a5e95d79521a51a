package main

func ints() {}
