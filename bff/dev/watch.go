package dev

import (
	"context"
	"crypto/sha256"
	"os"
	"time"
)

// lookEvery is how often the file is looked at: soon enough for a person who saves it.
const lookEvery = 300 * time.Millisecond

// watch sends on changed after the file's content changed, until ctx ends. It compares
// content, because editors replace files, and polls, because that works on every file
// system. A file that is away for a moment is being written.
func watch(ctx context.Context, file string, changed chan<- struct{}) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	last, _ := sum(file)
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now, err := sum(file)
		if err != nil || now == last {
			continue
		}
		last = now
		select {
		case changed <- struct{}{}:
		case <-ctx.Done():
			return
		}
	}
}

func sum(file string) ([sha256.Size]byte, error) {
	content, err := os.ReadFile(file)
	return sha256.Sum256(content), err
}
