package logdir

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// ReplaceFile makes path hold text: a reader sees the old content or the new
// one, also if mlxp or the machine stops at any moment, and a full disk leaves
// the old one. The file's mode follows the umask.
func ReplaceFile(path string, text []byte) error {
	f, err := renameio.NewPendingFile(path, renameio.WithTempDir(filepath.Dir(path)), renameio.WithPermissions(0o666))
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	defer f.Cleanup()
	if _, err := f.Write(text); err != nil {
		return err // names the temporary file, which is beside path
	}
	if err := f.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// writeNew writes a file that must not exist yet, without waiting for the disk:
// see [Log.Sync]. If it cannot be written it is removed.
func writeNew(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		os.RemoveAll(path)
	}
	return err
}
