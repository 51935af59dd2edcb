package server_test

import (
	"fmt"
	"strings"
)

// replaced is text with new for the first old. It panics where no old is: an edit that
// changes nothing lets a test check something else than it says.
func replaced(text, old, new string) string {
	if !strings.Contains(text, old) {
		panic(fmt.Sprintf("nothing to replace: the text holds no %q", old))
	}
	return strings.Replace(text, old, new, 1)
}
