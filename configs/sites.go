package configs

// sites checks that the frontend's pages and its host are one site.
func (ck *checker) sites(path string, f *Frontend) {
	if f.Host == "" {
		return
	}
	own, _ := splitPort(f.Host)
	for i, o := range f.Origins {
		if host := originHost(o); !checkOrigin(o).is() && !sameSite(host, own) {
			ck.refuse(item(child(path, "origins"), i),
				"the pages and "+child(path, "host")+" are different sites: the session cookie would not travel",
				"both must be under one registrable domain, as shop.example.com and api.example.com are")
		}
	}
}
