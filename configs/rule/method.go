package rule

import (
	"slices"
	"strings"
)

// Methods are all that the public listener takes without being told.
var Methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}

// UnusualMethods are those that it takes where a route names one of them: the others of IANA's
// registry of methods, of WebDAV and its kin mostly. CONNECT would make a tunnel, and
// TRACE would show cookies to scripts.
var UnusualMethods = strings.Fields(`ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL
	MKREDIRECTREF MKWORKSPACE MOVE ORDERPATCH PROPFIND PROPPATCH QUERY REBIND REPORT SEARCH UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE
	UPDATEREDIRECTREF VERSION-CONTROL`)

// IsMethod reports whether a route may name the method.
func IsMethod(m string) bool {
	return slices.Contains(Methods, m) || IsUnusualMethod(m)
}

// IsUnusualMethod reports whether a method is none of the usual ones, but may be named.
func IsUnusualMethod(m string) bool { return slices.Contains(UnusualMethods, m) }
