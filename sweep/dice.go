package sweep

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
)

// Dice shuffle. Their source, PCG, has a published output; the rest is written
// here, so that a newer Go cannot change the order of a sweep.
type dice struct{ source *rand.PCG }

// throw returns the dice for the n-th shuffle in a word, 0 being that of the
// sweep which the word is. Equal arguments give equal dice on every machine.
func throw(word string, seed uint64, n int) dice {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %d %s", seed, n, word))
	return dice{rand.NewPCG(binary.BigEndian.Uint64(sum[:8]), binary.BigEndian.Uint64(sum[8:16]))}
}

// shuffle is the one of Fisher and Yates, from the end.
func (d dice) shuffle(n int, swap func(i, j int)) {
	for i := n - 1; i > 0; i-- {
		swap(i, int(d.below(uint64(i+1))))
	}
}

// below returns a number from 0 to n-1, each as likely, by Lemire's method.
func (d dice) below(n uint64) uint64 {
	high, low := bits.Mul64(d.source.Uint64(), n)
	for least := -n % n; low < least; {
		high, low = bits.Mul64(d.source.Uint64(), n)
	}
	return high
}
