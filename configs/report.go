package configs

import (
	"fmt"
	"io"
	"strings"
)

// reportWidth is how wide a report is at most, where its words allow: a terminal
// of 80 columns shows all of it but long paths.
const reportWidth = 80

// Report writes faults for a person at a terminal, in their order, with a last
// line that counts them where one is an error. A place is one line, which editors can follow; what is
// wrong, and what to write instead, stands below it:
//
//	coatcheck.yaml:12:5: error: frontends.shop.cookie.name
//	    must start with __Host- (case-sensitive)
//	    hint: leave the name out: it is made of the frontend's own
func Report(w io.Writer, faults []Fault) {
	var errors, warnings int
	for _, f := range faults {
		kind := "error"
		if f.Warning {
			kind = "warning"
			warnings++
		} else {
			errors++
		}
		head := f.place() + ": " + kind
		if f.Path != "" {
			head += ": " + f.Path
		}
		text := head + "\n" + indented(f.Message)
		if f.Hint != "" {
			text += indented("hint: " + f.Hint)
		}
		fmt.Fprintln(w, printableLines(text))
	}
	switch {
	case errors > 0 && warnings > 0:
		fmt.Fprintf(w, "%s and %s\n", counted(errors, "error"), counted(warnings, "warning"))
	case errors > 0:
		fmt.Fprintln(w, counted(errors, "error"))
	}
}

func (f Fault) place() string {
	if f.Line == 0 {
		return f.File
	}
	return fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
}

// indented breaks text into lines between its words.
func indented(text string) string {
	const margin = "    "
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
			b.WriteString(margin)
			column = len(margin)
		case column+1+len(word) > reportWidth:
			b.WriteString("\n" + margin)
			column = len(margin)
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String() + "\n"
}

// printableLines is printable for a text of several lines.
func printableLines(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return printable(r)
	}, strings.TrimRight(s, "\n")) + "\n"
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
