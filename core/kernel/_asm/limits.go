package main

func limits() {}
