package transcript_test

import (
	"strings"
	"testing"
)

// context is how many equal lines a diff shows around a difference.
const context = 3

// diff compares two texts line by line: "-" is only in a, "+" only in b.
func diff(a, b string) string {
	lines := edits(strings.Split(a, "\n"), strings.Split(b, "\n"))
	show := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] == ' ' {
			continue
		}
		for j := max(0, i-context); j <= min(len(lines)-1, i+context); j++ {
			show[j] = true
		}
	}
	var out strings.Builder
	for i, l := range lines {
		switch {
		case show[i]:
			out.WriteString(l + "\n")
		case i > 0 && show[i-1]:
			out.WriteString("  ...\n")
		}
	}
	return out.String()
}

// edits is the shortest way from a to b, by their longest common subsequence.
func edits(a, b []string) (lines []string) {
	length := make([][]int, len(a)+1) // length[i][j]: of the common subsequence of a[i:] and b[j:]
	for i := range length {
		length[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < len(a) || j < len(b) {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, "  "+a[i])
			i, j = i+1, j+1
		case j == len(b) || i < len(a) && length[i+1][j] >= length[i][j+1]:
			lines = append(lines, "- "+a[i])
			i++
		default:
			lines = append(lines, "+ "+b[j])
			j++
		}
	}
	return lines
}

func TestDiff(t *testing.T) {
	got := diff("a\nb\nc\nd\ne\nf\ng\nh", "a\nb\nc\nd\ne\nF\ng\nh\ni")
	if want := "  c\n  d\n  e\n- f\n+ F\n  g\n  h\n+ i\n"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
