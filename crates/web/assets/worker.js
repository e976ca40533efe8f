// The service worker: the app opens, and what was read can be read again, without a network.
//
// It keeps the app's own files, whose names hold a hash and so never change, and the page that names
// them, which the network answers first: after a deploy nobody sees the old one. Of what the server
// knows it keeps the lists and the newest page of conversations that were opened, each under a hash
// of the session, so that nobody else finds them. It answers with them only when the server does not.
// Temporary conversations are not kept, and deleted ones no longer, wherever they were deleted.

const FILES = "files {{boot.js}}";
const READ = "read";
const SHELL = "/";
/** Conversations that are kept, and bytes of one at most. */
const MOST_KEPT = 50;
const MOST_BYTES = 2_000_000;
/** A network that takes longer than this to bring the page is as good as none. */
const PATIENCE = 4_000;

const HASHED = /-[0-9a-f]{10}\.\w+$/;
const CONVERSATION = /^\/ai\/conversations\/[0-9a-f-]{36}$/;
const LISTS = ["/ai/conversations", "/routing/models", "/routing/stats"];

self.addEventListener("install", (event) => {
  event.waitUntil(install());
  self.skipWaiting();
});

/** Keeps the page and the files that it names, and those that its script names. */
async function install() {
  const files = await caches.open(FILES);
  const shell = await fetch(SHELL, { headers: { accept: "text/html" }, cache: "no-cache" });
  if (!shell.ok) return;
  const text = await shell.clone().text();
  await files.put(SHELL, shell);
  const named = (text) => text.match(/\/[\w./-]+-[0-9a-f]{10}\.\w+/g) ?? [];
  const addresses = new Set(named(text));
  const boot = named(text).find((address) => address.startsWith("/boot-"));
  if (boot) named(await (await fetch(boot)).text()).forEach((address) => addresses.add(address));
  await Promise.allSettled([...addresses].map((address) => files.add(address)));
}

self.addEventListener("activate", (event) => {
  event.waitUntil(activate());
});

async function activate() {
  const old = (await caches.keys()).filter((name) => name !== FILES && name !== READ);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== self.location.origin) return;
  if (request.method === "DELETE") {
    event.respondWith(remove(event, request, url));
  } else if (request.method !== "GET") {
    return;
  } else if (request.mode === "navigate") {
    if (!url.pathname.includes(".") && !/^\/(ai|share)\//.test(url.pathname)) {
      event.respondWith(page(request));
    }
  } else if (HASHED.test(url.pathname)) {
    event.respondWith(file(request, url));
  } else if (isRead(url)) {
    event.respondWith(read(event, request, url));
  }
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(show(`/chat?conversation_id=${event.notification.tag}`));
});

/** Opens that address in a page of the app that is there, or in a new one. */
async function show(address) {
  const [page] = await self.clients.matchAll({ type: "window" });
  if (!page) return self.clients.openWindow(address);
  page.postMessage({ open: address });
  return page.focus();
}

async function page(request) {
  const late = new Promise((_, fail) => setTimeout(fail, PATIENCE));
  const kept = () => caches.match(SHELL, { cacheName: FILES });
  const answer = fetch(request);
  try {
    const first = await Promise.race([answer, late]);
    return isAway(first) ? ((await kept()) ?? first) : first;
  } catch {
    return (await kept()) ?? answer;
  }
}

/** What a proxy says while the server behind it restarts. */
function isAway(answer) {
  return [502, 503, 504].includes(answer.status);
}

async function file(request, url) {
  const kept = await caches.match(url.pathname);
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const copy = answer.clone();
    const files = await caches.open(FILES);
    files.put(url.pathname, copy).catch(() => {});
  }
  return answer;
}

/** A list, or the newest page of a conversation. */
function isRead(url) {
  const asked = url.searchParams;
  if (!asked.has("session_id") || asked.has("cursor")) return false;
  const whole = !asked.has("before") && !asked.has("leaf");
  return LISTS.includes(url.pathname) || (CONVERSATION.test(url.pathname) && whole);
}

/** Where it is kept: no secret is in the name. */
async function place(url) {
  const secret = new TextEncoder().encode(url.searchParams.get("session_id"));
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", secret));
  const owner = [...hash.slice(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  // The archive and what is pinned are lists of their own.
  const shelf = ["archived", "kept"].filter((name) => url.searchParams.has(name));
  return `${url.pathname}?of=${[owner, ...shelf].join(".")}`;
}

async function read(event, request, url) {
  const kept = async () => caches.match(await place(url), { cacheName: READ });
  try {
    const answer = await fetch(request);
    if (isAway(answer)) return (await kept()) ?? answer;
    event.waitUntil(keep(url, answer.clone()).catch(() => {}));
    return answer;
  } catch (error) {
    const known = await kept();
    if (known) return known;
    throw error;
  }
}

async function keep(url, answer) {
  const cache = await caches.open(READ);
  const name = await place(url);
  if (answer.ok || [401, 403, 404, 410].includes(answer.status)) await cache.delete(name);
  if (!answer.ok) return;
  const body = await answer.blob();
  if (body.size > MOST_BYTES) return;
  const said = JSON.parse(await body.text());
  if (said.temporary) return;
  await cache.put(name, new Response(body, { headers: { "content-type": "application/json" } }));
  const kept = (await cache.keys()).filter((known) => CONVERSATION.test(new URL(known.url).pathname));
  const most = isEmptied(url, said) ? 0 : MOST_KEPT;
  await Promise.all(kept.slice(0, Math.max(0, kept.length - most)).map((old) => cache.delete(old)));
}

/** Whether the list of all conversations holds none: they were deleted, perhaps on another device. */
function isEmptied(url, said) {
  const isShelf = ["archived", "kept"].some((name) => url.searchParams.has(name));
  return url.pathname === "/ai/conversations" && !isShelf && said.conversations.length === 0;
}

async function remove(event, request, url) {
  const answer = await fetch(request);
  if (answer.ok) event.waitUntil(forget(url));
  return answer;
}

/** The page was told what is gone. */
self.addEventListener("message", (event) => {
  const gone = event.data?.gone ?? [];
  const urls = gone.map((path) => new URL(path, self.location.origin));
  event.waitUntil(Promise.all(urls.map(forget)));
});

/** What is deleted on the server is not kept here. */
async function forget(url) {
  if (CONVERSATION.test(url.pathname)) {
    const cache = await caches.open(READ);
    const kept = await cache.keys();
    const gone = kept.filter((known) => new URL(known.url).pathname === url.pathname);
    await Promise.all(gone.map((known) => cache.delete(known)));
  } else if (url.pathname === "/ai/conversations" || url.pathname.startsWith("/auth/")) {
    await caches.delete(READ);
  }
}
