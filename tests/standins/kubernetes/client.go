// Package kubernetes is what the stand-ins ask of the API server: a few requests with the service account's token.
package kubernetes

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

const (
	account = "/var/run/secrets/kubernetes.io/serviceaccount/"
	// Lists of a test cluster are far smaller.
	largestAnswer = 16 << 20
)

// Object is any Kubernetes object.
type Object = map[string]any

// Client talks to the API server of the cluster that this process runs in.
type Client struct {
	base string
	http http.Client
}

// StatusError is an answer other than success.
type StatusError struct {
	Code    int
	Message string
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("HTTP %d: %s", e.Code, e.Message)
}

// NotFound says whether an error is that there is no such object.
func NotFound(err error) bool {
	var status *StatusError
	return errors.As(err, &status) && status.Code == http.StatusNotFound
}

// InCluster is a client with this pod's service account.
func InCluster() (*Client, error) {
	authority, err := os.ReadFile(account + "ca.crt")
	if err != nil {
		return nil, fmt.Errorf("no service account: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(authority) {
		return nil, errors.New("the service account's ca.crt holds no certificate")
	}
	host, port := os.Getenv("KUBERNETES_SERVICE_HOST"), os.Getenv("KUBERNETES_SERVICE_PORT")
	if host == "" || port == "" {
		return nil, errors.New("KUBERNETES_SERVICE_HOST and _PORT are not set")
	}
	return &Client{
		base: "https://" + net.JoinHostPort(host, port),
		http: http.Client{
			Timeout:   10 * time.Second,
			Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, MaxIdleConnsPerHost: 2},
		},
	}, nil
}

// Get reads the object at a path.
func (c *Client) Get(ctx context.Context, path string) (Object, error) {
	return c.request(ctx, http.MethodGet, path, "", nil)
}

// Items reads the items of a list.
func (c *Client) Items(ctx context.Context, path string) ([]Object, error) {
	list, err := c.Get(ctx, path)
	if err != nil {
		return nil, err
	}
	items, _ := list["items"].([]any)
	objects := make([]Object, 0, len(items))
	for _, item := range items {
		if object, ok := item.(Object); ok {
			objects = append(objects, object)
		}
	}
	return objects, nil
}

// Apply makes the object at a path what it should be, by server-side apply.
func (c *Client) Apply(ctx context.Context, path, manager string, object any) (Object, error) {
	query := "?force=true&fieldManager=" + manager
	return c.request(ctx, http.MethodPatch, path+query, "application/apply-patch+yaml", object)
}

// Merge changes fields of the object at a path.
func (c *Client) Merge(ctx context.Context, path string, change any) (Object, error) {
	return c.request(ctx, http.MethodPatch, path, "application/merge-patch+json", change)
}

// Delete removes the object at a path; that it is not there is fine.
func (c *Client) Delete(ctx context.Context, path string) error {
	_, err := c.request(ctx, http.MethodDelete, path+"?propagationPolicy=Background", "", nil)
	if NotFound(err) {
		return nil
	}
	return err
}

func (c *Client) request(ctx context.Context, method, path, kind string, body any) (Object, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	// Kubelet renews the token: it is read each time.
	token, err := os.ReadFile(account + "token")
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Bearer "+strings.TrimSpace(string(token)))
	if kind != "" {
		request.Header.Set("Content-Type", kind)
	}
	answer, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, largestAnswer))
	if err != nil {
		return nil, err
	}
	object := Object{}
	parsed := json.Unmarshal(text, &object)
	if answer.StatusCode >= 300 {
		message, _ := object["message"].(string)
		return nil, fmt.Errorf("%s %s: %w", method, path, &StatusError{Code: answer.StatusCode, Message: message})
	}
	return object, parsed
}

// Text is the text at a path of keys within an object; empty if there is none.
func Text(object Object, keys ...string) string {
	text, _ := value(object, keys).(string)
	return text
}

// Part is the object at a path of keys within an object; never nil.
func Part(object Object, keys ...string) Object {
	if part, ok := value(object, keys).(Object); ok {
		return part
	}
	return Object{}
}

// List is the list at a path of keys within an object.
func List(object Object, keys ...string) []any {
	list, _ := value(object, keys).([]any)
	return list
}

// Flag is the truth at a path of keys within an object, or what is given where there is none.
func Flag(object Object, otherwise bool, keys ...string) bool {
	if flag, ok := value(object, keys).(bool); ok {
		return flag
	}
	return otherwise
}

// Number is the number at a path of keys within an object, or what is given where there is none.
func Number(object Object, otherwise float64, keys ...string) float64 {
	if number, ok := value(object, keys).(float64); ok {
		return number
	}
	return otherwise
}

func value(object Object, keys []string) any {
	var current any = object
	for _, key := range keys {
		part, ok := current.(Object)
		if !ok {
			return nil
		}
		current = part[key]
	}
	return current
}
