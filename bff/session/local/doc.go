// Package local keeps what one replica knows of sessions beside the store: its own copies
// of them, which ended lately, who waits for an event of one, and which are being worked on. It asks nobody,
// and loses everything with the process.
package local
