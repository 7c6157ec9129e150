package main

import "testing"

func fakeSites(*testing.T) []*site { return nil }
