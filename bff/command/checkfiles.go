package command

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"

	"coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/upstream/oidc"
	"coatcheck/upstream/signin"
)

// filesOf checks what package configs does not open: the files that are named, the
// mappings as they compile, the store's URL. A missing file is a warning, because a
// configuration is often checked on another machine than the one that serves it; a file
// that exists and cannot be used is an error. Nothing is dialled.
func filesOf(config *configs.Config) []configs.Fault {
	ck := &fileCheck{config: config}
	ck.add("sessions.store", open.Check(config.Sessions.Store))
	ck.certificate()
	ck.upstreams()
	ck.providers()
	ck.pages()
	return ck.faults
}

// fileCheck collects what is wrong with files.
type fileCheck struct {
	config *configs.Config
	faults []configs.Fault
}

// add reports an error at a key's path; nil is none.
func (ck *fileCheck) add(path string, err error) {
	if err != nil {
		ck.report(path, strings.TrimPrefix(err.Error(), "session: store: "), false)
	}
}

func (ck *fileCheck) report(path, message string, warning bool) {
	at := ck.config.Source.At(path)
	ck.faults = append(ck.faults, configs.Fault{File: ck.config.Source.File(), Line: at.Line, Column: at.Column,
		Path: path, Message: message, Warning: warning})
}

// missing warns of a file that is named and not there.
func (ck *fileCheck) missing(path, file string) bool {
	if file == "" {
		return false
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return false
	}
	ck.report(path, fmt.Sprintf("file not found: %s (serve will refuse to start)", file), true)
	return true
}

// missingPair warns of each of two files that is not there: a certificate and its key.
func (ck *fileCheck) missingPair(certPath, cert, keyPath, key string) bool {
	noCert, noKey := ck.missing(certPath, cert), ck.missing(keyPath, key)
	return noCert || noKey
}

func (ck *fileCheck) certificate() {
	t := ck.config.TLS
	if t == nil || ck.missingPair("tls.cert", t.Cert, "tls.key", t.Key) {
		return
	}
	_, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	ck.add("tls", err)
}

// upstreams compiles the mappings, with those files that are there.
func (ck *fileCheck) upstreams() {
	ups := map[string]*configs.Upstream{}
	for _, name := range slices.Sorted(maps.Keys(ck.config.Upstreams)) {
		u, path := *ck.config.Upstreams[name], "upstreams."+name
		if ck.missing(path+".ca", u.CA) {
			u.CA = ""
		}
		if ck.missingPair(path+".client_cert", u.ClientCert, path+".client_key", u.ClientKey) {
			u.ClientCert, u.ClientKey = "", ""
		}
		ups[name] = &u
	}
	set, err := signin.New(ups, signin.Options{})
	ck.add("upstreams", err)
	if err == nil {
		set.Close()
	}
}

func (ck *fileCheck) providers() {
	for _, name := range slices.Sorted(maps.Keys(ck.config.Providers)) {
		p, path := *ck.config.Providers[name], "providers."+name
		if ck.missing(path+".ca", p.CA) {
			p.CA = ""
		}
		ck.missing(path+".client_assertion", p.ClientAssertion.Path)
		if ck.missingPair(path+".client_cert", p.ClientCert, path+".client_key", p.ClientKey) {
			p.ClientCert, p.ClientKey = "", ""
		}
		made, err := oidc.New(name, &p, oidc.Options{})
		ck.add(path, err)
		if err == nil {
			made.Close()
		}
	}
}

func (ck *fileCheck) pages() {
	for _, name := range slices.Sorted(maps.Keys(ck.config.Frontends)) {
		spa := ck.config.Frontends[name].SPA
		if spa == nil || spa.Dir == "" {
			continue
		}
		if path := "frontends." + name + ".spa.dir"; !ck.missing(path, spa.Dir) {
			ck.add(path, canServe(spa.Dir))
		}
	}
}

// canServe tries what serve will do with spa.dir.
func canServe(dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	return root.Close()
}
