// Package pytorch holds the test in which PyTorch itself quantizes our networks and answers the same inputs.
package pytorch
