package command

import (
	"fmt"
	"strings"
)

// UsageError says an error of the command-line parser in the words of this program.
// global is whether it was met before the name of a command; nearest finds the flag that
// is most like another one.
func UsageError(err error, global bool, nearest func(flag string) string) error {
	text := err.Error()
	if flag, yes := strings.CutPrefix(text, "flag needs an argument: "); yes {
		return fmt.Errorf("%s needs a value", dashed(flag))
	}
	if name, yes := strings.CutPrefix(text, "No help topic for '"); yes {
		name, _, _ = strings.Cut(name, "'")
		return fmt.Errorf("unknown command %q", name)
	}
	flag, unknown := strings.CutPrefix(text, "flag provided but not defined: ")
	switch {
	case !unknown:
		return err
	case global:
		return fmt.Errorf("unknown flag %s here: the flags of a command stand behind its name", dashed(flag))
	}
	if meant := nearest(strings.Trim(flag, "-")); near(meant, flag) {
		return fmt.Errorf("unknown flag %s; did you mean %s?", dashed(flag), meant)
	}
	return fmt.Errorf("unknown flag %s", dashed(flag))
}

// near reports whether a flag that was found for another one (there always is one) may
// have been meant: it begins with the same letter.
func near(meant, typed string) bool {
	meant, typed = strings.Trim(meant, "-"), strings.Trim(typed, "-")
	return meant != "" && typed != "" && meant[0] == typed[0]
}

// dashed is a flag as the help prints it.
func dashed(flag string) string {
	if flag = strings.Trim(flag, "-"); len(flag) > 1 {
		return "--" + flag
	}
	return "-" + flag
}
