// Package terminal colours text for people who read it at a terminal.
package terminal

import (
	"io"
	"os"

	"golang.org/x/term"
)

// Style is an ANSI style (ECMA-48 §8.3.117, SGR): it follows the terminal's own theme.
type Style string

// The styles.
const (
	Bold   Style = "1"
	Faint  Style = "2"
	Red    Style = "31"
	Green  Style = "32"
	Yellow Style = "33"
	Blue   Style = "34"
	Cyan   Style = "36"
)

// Paint colours text. The zero value leaves it as it is.
type Paint struct{ Colours bool }

// Of is the paint for a writer: nil if that is not a terminal. NO_COLOR
// (https://no-color.org) and a dumb terminal take the colours away.
func Of(w io.Writer, getenv func(string) (string, bool)) *Paint {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	noColour, _ := getenv("NO_COLOR")
	kind, _ := getenv("TERM")
	return &Paint{Colours: noColour == "" && kind != "dumb"}
}

// As returns text in a style.
func (p *Paint) As(style Style, text string) string {
	if p == nil || !p.Colours || text == "" || style == "" {
		return text
	}
	return "\x1b[" + string(style) + "m" + text + "\x1b[0m"
}
