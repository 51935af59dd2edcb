package command

import (
	"fmt"
	"io"

	"coatcheck/configs"
)

// printRegistrations says what must be registered at each provider, ready to be copied.
func printRegistrations(w io.Writer, c *configs.Config) {
	for _, r := range c.Registrations() {
		if len(r.Redirect) == 0 {
			continue
		}
		fmt.Fprintf(w, "\nregister at %s, client %s:\n", r.Provider, c.Providers[r.Provider].ClientID)
		printURLs(w, "redirect URIs", r.Redirect)
		if p := c.Providers[r.Provider]; p.EndsProviderSession() && (p.HasIssuer() || p.EndSession != "") {
			printURLs(w, "post-logout redirect URIs", r.PostLogout)
		}
		if c.Providers[r.Provider].IsOpenID() {
			printURLs(w, "back-channel logout, any one of", r.BackChannel)
		}
	}
}

func printURLs(w io.Writer, what string, urls []string) {
	fmt.Fprintf(w, "  %s:\n", what)
	for _, u := range urls {
		fmt.Fprintf(w, "    %s\n", u)
	}
}
