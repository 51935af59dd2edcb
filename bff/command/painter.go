package command

import (
	"fmt"
	"io"

	"coatcheck/bff/terminal"
)

// painter colours what a trial's lines begin with, at a terminal.
type painter struct {
	out   io.Writer
	paint *terminal.Paint
}

// marks are what is sent, what is answered, what decided, what is guessed, what failed.
var marks = map[byte]terminal.Style{'>': terminal.Cyan, '<': terminal.Blue, '=': terminal.Bold, '?': terminal.Yellow, '!': terminal.Red}

func (p painter) line(text string) {
	if text != "" {
		text = p.paint.As(marks[text[0]], text[:1]) + text[1:]
	}
	fmt.Fprintln(p.out, text)
}
