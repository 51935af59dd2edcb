package chromium

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// Chromium is a running browser without a window.
type Chromium struct {
	*wire
	process *exec.Cmd
	gone    chan struct{}
	// Version is what it calls itself.
	Version string
}

// Settings say where a browser finds hosts, and whose certificates it takes.
type Settings struct {
	// Dir is a folder for its profile.
	Dir string
	// Rules are those of host-resolver-rules.
	Rules string
	// Pin is the SHA-256 of the key that certificates may have, in base64.
	Pin string
}

// flags keep it from the network, and from what it does at a first start. The
// back/forward cache stays on: a case is about it.
func (s Settings) flags() []string {
	all := []string{"--headless=new", "--remote-debugging-pipe", "--user-data-dir=" + filepath.Join(s.Dir, "chromium"), "--host-resolver-rules=" + s.Rules,
		"--ignore-certificate-errors-spki-list=" + s.Pin, "--disable-gpu", "--disable-quic", "--no-first-run", "--no-default-browser-check", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions", "--disable-default-apps", "--disable-dev-shm-usage", "--disable-popup-blocking",
		"--disable-features=PreloadTopChromeWebUI,MediaRouter,Translate,OptimizationHints", "--disable-background-timer-throttling", "--disable-renderer-backgrounding", "--disable-backgrounding-occluded-windows", "--metrics-recording-only", "--password-store=basic"}
	if os.Getuid() == 0 {
		all = append(all, "--no-sandbox") // it does not start as root with one
	}
	return append(all, "about:blank")
}

// ordinary lets cookies pass as in an ordinary window: profiles are private ones, and
// those keep cookies from pages of other sites, whatever SameSite says.
const ordinary = `{"profile": {"cookie_controls_mode": 0}}`

func (s Settings) prepare() error {
	dir := filepath.Join(s.Dir, "chromium", "Default")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Preferences"), []byte(ordinary), 0o600)
}

// Start starts the program. Stop must be called.
func Start(binary string, s Settings) (*Chromium, error) {
	if err := s.prepare(); err != nil {
		return nil, err
	}
	fromUs, toIt, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	fromIt, toUs, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &Chromium{wire: &wire{to: toIt, waiting: map[int]chan reply{}}, process: exec.Command(binary, s.flags()...), gone: make(chan struct{})}
	c.process.ExtraFiles = []*os.File{fromUs, toUs} // 3 and 4, as the flag says
	c.process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := c.process.Start(); err != nil {
		return nil, err
	}
	_, _ = fromUs.Close(), toUs.Close()
	go func() { c.read(fromIt); _, _ = fromIt.Close(), toIt.Close() }() // ends with the process
	go func() { _ = c.process.Wait(); close(c.gone) }()                 // ends with the process
	var told struct{ Product string }
	if err := c.call("", "Browser.getVersion", nil, &told); err != nil {
		c.Stop()
		return nil, fmt.Errorf("%s: %w", binary, err)
	}
	c.Version = told.Product
	return c, nil
}

// Stop ends it and what it started.
func (c *Chromium) Stop() {
	_, _ = c.send("", "Browser.close", nil)
	select {
	case <-c.gone:
	case <-time.After(3 * time.Second):
	}
	_ = syscall.Kill(-c.process.Process.Pid, syscall.SIGKILL)
	<-c.gone
}
