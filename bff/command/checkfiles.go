package command

import (
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"coatcheck/bff/session/store/open"
	"coatcheck/configs"
	"coatcheck/configs/keypath"
	"coatcheck/upstream"
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
	ck.addHinted(path, err, "")
}

func (ck *fileCheck) addHinted(path string, err error, hint string) {
	if err != nil {
		ck.report(configs.Fault{Path: path, Message: strings.TrimPrefix(err.Error(), "session: store: "), Hint: hint})
	}
}

// warn says what is unwise at a key's path.
func (ck *fileCheck) warn(path, message string) {
	ck.report(configs.Fault{Path: path, Message: message, Warning: true})
}

// report adds a fault where its path stands.
func (ck *fileCheck) report(fault configs.Fault) {
	at := ck.config.Source.At(fault.Path)
	fault.File, fault.Line, fault.Column = ck.config.Source.File(), at.Line, at.Column
	if !slices.Contains(ck.faults, fault) { // a provider reads its files twice
		ck.faults = append(ck.faults, fault)
	}
}

// missing warns of a file that is named and not there.
func (ck *fileCheck) missing(path, file string) bool {
	if file == "" {
		return false
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		return false
	}
	ck.warn(path, fmt.Sprintf("file not found: %s (serve will refuse to start)", file))
	return true
}

// missingPair warns of each of two files that is not there: a certificate and its key.
func (ck *fileCheck) missingPair(certPath, cert, keyPath, key string) bool {
	noCert, noKey := ck.missing(certPath, cert), ck.missing(keyPath, key)
	return noCert || noKey
}

// hints say what the files of some keys must hold.
var hints = map[string]string{
	"tls":         "a certificate and the key that belongs to it, in PEM",
	"ca":          "certificates in PEM",
	"client_cert": "the certificate that belongs to client_key, both in PEM",
	"client_key":  "a key in PEM: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519",
}

// place adds an error at the keys that it names, below path; an error of several parts is
// several faults. What stands around the innermost key is for logs, and hint for that key.
func (ck *fileCheck) place(path, hint string, err error) {
	var named *upstream.KeyError
	switch e := err.(type) {
	case nil:
	case *upstream.KeyError:
		ck.place(strings.TrimPrefix(path+"."+e.Key, "."), hints[e.Key], e.Err)
	case interface{ Unwrap() []error }:
		for _, part := range e.Unwrap() {
			ck.place(path, hint, part)
		}
	default:
		if errors.As(err, &named) {
			ck.place(path, hint, errors.Unwrap(err))
			return
		}
		ck.addHinted(path, err, hint)
	}
}

func (ck *fileCheck) certificate() {
	t := ck.config.TLS
	if t == nil || ck.missingPair("tls.cert", t.Cert, "tls.key", t.Key) {
		return
	}
	_, err := tls.LoadX509KeyPair(t.Cert, t.Key)
	ck.addHinted("tls", err, hints["tls"])
	ck.expired("tls.cert", t.Cert, t.Key)
}

// expired warns of a certificate whose time is over: whoever it is shown to refuses it.
func (ck *fileCheck) expired(path, cert, key string) {
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err == nil && time.Now().After(pair.Leaf.NotAfter) {
		ck.warn(path, "the certificate expired on "+pair.Leaf.NotAfter.UTC().Format(time.DateOnly))
	}
}

// upstreams compiles the mappings, with those files that are there.
func (ck *fileCheck) upstreams() {
	ups := map[string]*configs.Upstream{}
	for _, name := range slices.Sorted(maps.Keys(ck.config.Upstreams)) {
		u, path := *ck.config.Upstreams[name], keypath.Child("upstreams", name)
		if ck.missing(path+".ca", u.CA) {
			u.CA = ""
		}
		if ck.missingPair(path+".client_cert", u.ClientCert, path+".client_key", u.ClientKey) {
			u.ClientCert, u.ClientKey = "", ""
		}
		ck.expired(path+".client_cert", u.ClientCert, u.ClientKey)
		ups[name] = &u
	}
	set, err := signin.New(ups, signin.Options{})
	ck.place("", "", err)
	if err == nil {
		set.Close()
	}
}

func (ck *fileCheck) providers() {
	for _, name := range slices.Sorted(maps.Keys(ck.config.Providers)) {
		p, path := *ck.config.Providers[name], keypath.Child("providers", name)
		if ck.missing(path+".ca", p.CA) {
			p.CA = ""
		}
		ck.missing(path+".client_assertion", p.ClientAssertion.Path)
		if ck.missingPair(path+".client_cert", p.ClientCert, path+".client_key", p.ClientKey) {
			p.ClientCert, p.ClientKey = "", ""
		}
		ck.expired(path+".client_cert", p.ClientCert, p.ClientKey)
		made, err := oidc.New(name, &p, oidc.Options{})
		ck.place(path, "", err)
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
		if path := keypath.Child("frontends", name, "spa", "dir"); !ck.missing(path, spa.Dir) {
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
