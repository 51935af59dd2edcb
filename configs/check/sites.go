package check

import (
	"coatcheck/configs"
	"coatcheck/configs/rule"
)

// sites checks that the frontend's pages and its host are one site.
func (ck frontendCheck) sites(path string, f *configs.Frontend) {
	if f.Host == "" {
		return
	}
	own, _ := rule.SplitPort(f.Host)
	for i, o := range f.Origins {
		if host := rule.OriginHost(o); !rule.Origin(o).Is() && !rule.SameSite(host, own) {
			ck.refuse(item(child(path, "origins"), i),
				"the pages and "+child(path, "host")+" are different sites: the browser would not send the session cookie",
				"both must be under one registrable domain, as shop.example.com and api.example.com are")
		}
	}
}
