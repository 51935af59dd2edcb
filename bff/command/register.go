package command

import (
	"fmt"
	"io"
	"maps"
	"slices"

	"coatcheck/configs"
	"coatcheck/upstream/oidc"
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

// filesOfProviders looks at the files that providers name. add reports an error at a
// key's path, missing a file that is not there.
func filesOfProviders(c *configs.Config, add func(path string, err error), missing func(path, file string) bool) {
	for _, name := range slices.Sorted(maps.Keys(c.Providers)) {
		p, path := *c.Providers[name], "providers."+name
		if missing(path+".ca", p.CA) {
			p.CA = ""
		}
		missing(path+".client_assertion", p.ClientAssertion.Path)
		if missing(path+".client_cert", p.ClientCert) || missing(path+".client_key", p.ClientKey) {
			p.ClientCert, p.ClientKey = "", ""
		}
		made, err := oidc.New(name, &p, oidc.Options{})
		add(path, err)
		if err == nil {
			made.Close()
		}
	}
}
