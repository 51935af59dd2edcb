package chromium

import (
	"encoding/json"
	"errors"
)

// Profile is one person's browser: cookies, cache and storage that no other has.
type Profile struct {
	browser *Chromium
	id      string
}

// Profile opens an empty one.
func (c *Chromium) Profile() (*Profile, error) {
	var made struct{ BrowserContextID string }
	err := c.call("", "Target.createBrowserContext", map[string]any{"disposeOnDetach": true}, &made)
	return &Profile{c, made.BrowserContextID}, err
}

// Close closes it with all its tabs, and forgets what it held.
func (p *Profile) Close() {
	_ = p.browser.call("", "Target.disposeBrowserContext", map[string]any{"browserContextId": p.id}, nil)
}

// Cookie is one of the browser's own records.
type Cookie struct {
	Name, Value, Domain, Path, SameSite string
	HTTPOnly, Secure                    bool
}

// Cookies are all that it holds, those that scripts cannot see too.
func (p *Profile) Cookies() ([]Cookie, error) {
	var held struct{ Cookies []Cookie }
	err := p.browser.call("", "Storage.getCookies", map[string]any{"browserContextId": p.id}, &held)
	return held.Cookies, err
}

// Tab is a page, or a frame of another site inside one.
type Tab struct {
	profile    *Profile
	target, id string // id is that of the session
}

// Tab opens an empty one.
func (p *Profile) Tab() (*Tab, error) {
	var made struct{ TargetID string }
	if err := p.browser.call("", "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": p.id}, &made); err != nil {
		return nil, err
	}
	return p.attach(made.TargetID)
}

func (p *Profile) attach(target string) (*Tab, error) {
	var made struct{ SessionID string }
	err := p.browser.call("", "Target.attachToTarget", map[string]any{"targetId": target, "flatten": true}, &made)
	return &Tab{p, target, made.SessionID}, err
}

// Kinds of what [Profile.Others] finds.
const (
	Frames  = "iframe" // of another site than the page around it
	Windows = "page"   // tabs, and windows that pages opened
)

// Others are all of a kind that stand open, those that pages themselves opened too.
func (p *Profile) Others(kind string) (found []*Tab, err error) {
	var all struct {
		TargetInfos []struct{ TargetID, Type, BrowserContextID string }
	}
	// Without a filter, Chromium leaves frames out.
	filter := map[string]any{"filter": []any{map[string]any{"type": kind}}}
	if err := p.browser.call("", "Target.getTargets", filter, &all); err != nil {
		return nil, err
	}
	for _, one := range all.TargetInfos {
		if one.Type != kind || one.BrowserContextID != p.id {
			continue
		}
		tab, err := p.attach(one.TargetID)
		if err != nil {
			return nil, err
		}
		found = append(found, tab)
	}
	return found, nil
}

// Go opens an address, as if somebody typed it, and returns when its document has begun.
func (t *Tab) Go(address string) error {
	return t.profile.browser.call(t.id, "Page.navigate", map[string]any{"url": address}, nil)
}

// Eval runs an expression on the page, as if a person had just clicked there, and reads
// its value, or the one that it promises, into result.
func (t *Tab) Eval(expression string, result any) error {
	var got struct {
		Result struct{ Value json.RawMessage }
		Wrong  *struct {
			Text      string
			Exception struct{ Description string }
		} `json:"exceptionDetails"`
	}
	err := t.profile.browser.call(t.id, "Runtime.evaluate", map[string]any{"expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true}, &got)
	switch {
	case err != nil:
		return err
	case got.Wrong != nil:
		return errors.New(got.Wrong.Text + " " + got.Wrong.Exception.Description)
	case result == nil || got.Result.Value == nil:
		return nil
	}
	return json.Unmarshal(got.Result.Value, result)
}
