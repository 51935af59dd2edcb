package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
)

// painter colours what a trace's lines begin with, at a terminal that wants colours
// (https://no-color.org).
type painter struct {
	out     io.Writer
	colours bool
}

func newPainter(out io.Writer, getenv func(string) (string, bool)) painter {
	f, ok := out.(*os.File)
	noColour, _ := getenv("NO_COLOR")
	kind, _ := getenv("TERM")
	return painter{out, ok && noColour == "" && kind != "dumb" && term.IsTerminal(int(f.Fd()))}
}

// paints are colours (ECMA-48 §8.3.117): what is asked, what is answered, what
// decided, what is guessed, what failed.
var paints = map[byte]string{'>': "36", '<': "34", '=': "1", '?': "33", '!': "31"}

func (p painter) line(text string) {
	if p.colours && text != "" && paints[text[0]] != "" {
		text = "\x1b[" + paints[text[0]] + "m" + text[:1] + "\x1b[0m" + text[1:]
	}
	fmt.Fprintln(p.out, text)
}
