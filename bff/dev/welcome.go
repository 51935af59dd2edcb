package dev

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"coatcheck/bff/terminal"
	"coatcheck/configs"
)

// welcome lists the addresses to open, what answers there, and what was made up.
func welcome(paint *terminal.Paint, file string, c *configs.Config, admin string, stood []string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "\n  %s  %s\n\n", paint.As(terminal.Bold, "Coatcheck dev"), file)
	for _, name := range slices.Sorted(maps.Keys(c.Frontends)) {
		f := c.Frontends[name]
		for _, origin := range f.Origins {
			fmt.Fprintf(&b, "  %-10s %s  %s\n", name, paint.As(terminal.Cyan, origin+f.BasePath+"/"), paint.As(terminal.Faint, pagesOf(f)))
		}
		if f.IsDoor() {
			fmt.Fprintf(&b, "  %-10s %s\n", name, paint.As(terminal.Faint, "for programs, at host "+f.Host))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Upstreams)) {
		fmt.Fprintf(&b, "  %-10s %s  %s\n", name, c.Upstreams[name].URL, paint.As(terminal.Faint, "the API"))
	}
	fmt.Fprintf(&b, "  %-10s http://%s/readyz\n\n", "health", admin)
	if len(stood) > 0 {
		fmt.Fprintf(&b, "  Not in the file, and made up for this run: %s.\n", strings.Join(stood, ", "))
	}
	if strings.HasPrefix(c.Sessions.Store.Reveal(), "memory:") {
		b.WriteString("  Sessions are in memory: a restart signs everybody out, a reload does not.\n")
	}
	fmt.Fprintf(&b, "  %s is reloaded when it changes. Ctrl-C ends it.\n\n", file)
	return b.String()
}

// pagesOf says what answers where people open a frontend.
func pagesOf(f *configs.Frontend) string {
	switch {
	case f.SPA == nil:
		return "no pages here: only /bff/ and the routes"
	case f.SPA.Proxy != "":
		return "pages of the development server at " + f.SPA.Proxy
	}
	return "pages of " + f.SPA.Dir
}
