package dev

import (
	"io"

	"coatcheck/bff/terminal"
)

// HumanLog is the log as it is written to a terminal without colours.
func HumanLog(out io.Writer, served func(admin string)) io.Writer {
	return &humanLog{out: out, paint: new(terminal.Paint), served: served}
}
