package configs_test

import (
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"coatcheck/configs"
)

// The tags are read when a file is decoded, where a mistake in one would be a
// panic: so every one is read here.
func TestEveryTagIsSound(t *testing.T) {
	seen := 0
	for name, section := range sections() {
		if !isOurs(section) || section.NumField() == 0 {
			continue
		}
		for i := range section.NumField() {
			f := section.Field(i)
			low, high := f.Tag.Get("min"), f.Tag.Get("max")
			if (low == "") != (high == "") {
				t.Errorf("%s.%s has one bound only", name, f.Name)
			}
			if low != "" && bound(t, f.Type, low) > bound(t, f.Type, high) {
				t.Errorf("%s.%s: min is above max", name, f.Name)
			}
			if preset := f.Tag.Get("default"); preset != "" && high != "" {
				seen++
				if v := bound(t, f.Type, preset); v < bound(t, f.Type, low) || v > bound(t, f.Type, high) {
					t.Errorf("%s.%s: the default is out of range", name, f.Name)
				}
			}
			if words := f.Tag.Get("enum"); words != "" && f.Tag.Get("default") != "" && !strings.Contains("|"+words+"|", "|"+f.Tag.Get("default")+"|") {
				t.Errorf("%s.%s: the default is none of its words", name, f.Name)
			}
		}
	}
	if seen < 15 {
		t.Errorf("only %d defaults with bounds were seen", seen)
	}
}

// bound reads a number, duration or size as its own plain reader would.
func bound(t *testing.T, of reflect.Type, text string) int64 {
	t.Helper()
	if of.Kind() == reflect.Slice {
		of = of.Elem()
	}
	if of == reflect.TypeFor[time.Duration]() {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Error(err)
		}
		return int64(d)
	}
	factor := int64(1)
	if of == reflect.TypeFor[configs.Size]() {
		for i, unit := range []string{"KiB", "MiB", "GiB", "TiB"} {
			if digits, ok := strings.CutSuffix(text, unit); ok {
				text, factor = digits, 1<<(10*(i+1))
			}
		}
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Error(err)
	}
	return n * factor
}
