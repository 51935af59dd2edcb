package server

import (
	"fmt"
	"os"
	"time"

	"coatcheck/configs"
	"coatcheck/upstream"
)

// devServer bounds calls to a development server, which may compile first.
const devServer = 2 * time.Minute

// addSPA makes the frontend serve its application: from a folder, or from the
// development server that builds it.
func (s *snapshot) addSPA(f *frontend, spa *configs.SPA) error {
	switch {
	case spa == nil:
	case spa.Dir != "":
		// A root cannot be left by links either.
		root, err := os.OpenRoot(spa.Dir)
		if err != nil {
			return fmt.Errorf("frontends.%s.spa.dir: %w", f.name, err)
		}
		f.pages = &Pages{Files: root.FS(), CSP: spa.CSP}
	case spa.Proxy != "":
		return s.addDevServer(f, spa.Proxy)
	}
	return nil
}

// addDevServer adds a route behind all others that leads to the development server,
// hot reload's WebSocket included. It carries no session and no token, and what it
// answers are the application's own files.
func (s *snapshot) addDevServer(f *frontend, url string) error {
	set, err := upstream.New(map[string]*configs.Upstream{"spa": {URL: url, InsecureHTTP: true}}, upstream.Options{})
	if err != nil {
		return fmt.Errorf("frontends.%s.spa.proxy: %w", f.name, err)
	}
	carrier, err := upstream.NewCarrier(set.Get("spa").ForwarderOptions(), nil)
	if err != nil {
		return err
	}
	s.carriers["spa of "+f.name] = carrier
	root := "/"
	r, err := s.newRouteTo(f, &configs.Route{Path: root, Rewrite: &root, Methods: []string{"GET", "HEAD", "POST"}, Session: "none",
		WebSocket: true, EncodedSlash: "refuse", HeaderTimeout: devServer, IdleTimeout: time.Hour}, set.Get("spa"), carrier, url)
	if err == nil {
		f.routes = append(f.routes, r)
	}
	return err
}
