package main

func training() {}
