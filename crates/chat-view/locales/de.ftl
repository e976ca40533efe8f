### Alle Texte der App auf Deutsch. Wie eine Nachricht dazukommt, steht in en.ftl.
### Die App sagt »du« und spricht von Chats, Antworten, Modellen und Prompts.

## The composer

message = Nachricht
placeholder-home = Frag, was du willst
placeholder-chat = Antworten
send = Senden
stop = Stopp
sources = Quellen
attach = Anhängen
web = Web
web-not-here = Dieser Server hat keine Suchmaschine. Das Handbuch sagt, wie man eine hinzufügt.
web-about = Für jede Antwort im Web suchen
sending = Wird gesendet…
cancel = Abbrechen
save = Speichern
queue = Warteschlange
next = Als Nächstes:
then = Danach:
kept-for-later = Wird gesendet, sobald das Netz zurück ist
message-too-long = Diese Nachricht ist um { $size } zu lang. Höchstens 1 MiB ist möglich; kürze oder teile sie.
near-limit = Diese Nachricht hat { $size } von höchstens 1 MiB. Kürze oder teile sie.
near-context = Das sind etwa { $tokens } von { $context }, die das Modell auf einmal liest, frühere Nachrichten nicht mitgezählt. Kürze den Text oder wähle ein Modell, das mehr liest.
size-bytes = { NUMBER($count) } Byte
size-kib = { NUMBER($count) } KiB
size-mib = { NUMBER($count) } MiB
editing-branch = Du bearbeitest eine Nachricht: Sie wird neu gestellt, die alte bleibt erhalten.
editing-queued = Du bearbeitest eine wartende Nachricht.
dictate = Diktieren
dictate-about = Diktieren. Dein Browser schreibt auf, was du sagst, und nutzt dafür eventuell einen Dienst seines Herstellers.
listening = Hört zu…
dictation-failed = Der Browser kann nicht zuhören. Erlaube ihm das Mikrofon und versuch es noch einmal.
drop-here = Dateien hier ablegen

## Attachments

attachments = Anhänge
open-named = { $name } öffnen
remove-named = { $name } entfernen
retry-named = { $name }: Nochmal versuchen
reading-file = Wird gelesen…
pages =
    { $count ->
        [one] { NUMBER($count) } Seite
       *[other] { NUMBER($count) } Seiten
    }
waits-for-files = Wird gesendet, sobald die Dateien da sind
attachments-stuck = Nicht alles, was angehängt ist, kann mit. Entferne es oder versuch es noch einmal, und sende dann.
attachments-full = Eine Nachricht nimmt höchstens { NUMBER($count) } Anhänge mit.
attach-no-more = Eine wartende Nachricht nimmt keine Dateien mehr auf. Entferne sie und sende sie mit ihnen neu.
attached-already = „{ $name }“ ist schon angehängt.
file-attached = „{ $name }“ ist angehängt.
told-of = „{ $name }“: { $reason }
deleted-file = Gelöschte Datei
file-unsent = Ließ sich nicht senden.
file-too-large = Größer, als dieser Server annimmt.
files-full = Deine Dateien füllen allen Platz, den du hier hast. Lösche einige davon.
file-empty = In dieser Datei ist kein Text.
file-unpacks = Diese Datei ist zu groß oder wird beim Entpacken zu groß. Sende einen kleineren Teil davon.
file-encrypted = Diese Datei ist mit einem Passwort geschützt. Speichere sie ohne und sende sie noch einmal.
file-scanned = Diese Datei enthält nur Bilder von Text. Lass eine Texterkennung (OCR) darüberlaufen und sende sie noch einmal.
file-unsupported = Dateien dieser Art lassen sich nicht lesen. Speichere sie als PDF, Office, Text oder HTML.
file-damaged = Diese Datei ist beschädigt oder unvollständig. Versuch, sie zu öffnen und neu zu speichern.
file-too-much-text = Diese Datei enthält mehr Text, als gelesen werden kann. Sende einen kleineren Teil davon.
file-out-of-time = Diese Datei zu lesen hat zu lange gedauert. Sende einen kleineren Teil davon.
file-out-of-memory = Diese Datei zu lesen braucht zu viel Speicher. Sende einen kleineren Teil davon.
file-unreadable = Der Server konnte diese Datei nicht lesen. Entferne sie und häng sie noch einmal an.

## Files and collections

your-files = Deine Dateien
your-files-also = anhänge dokumente sammlungen bibliothek
search-files = Dateien suchen oder Webadresse einfügen
files = Dateien
collections = Sammlungen
web-pages = Webseiten
pages-in =
    { $count ->
        [one] { NUMBER($count) } Webseite
       *[other] { NUMBER($count) } Webseiten
    }
files-in =
    { $count ->
        [one] { NUMBER($count) } Datei
       *[other] { NUMBER($count) } Dateien
    }
files-used = { $used } von { $quota } belegt
no-files = Noch nichts da. Was du an Nachrichten anhängst, bleibt hier.
no-file-found = Keine Datei heißt so.
add = Hinzufügen
add-named = { $name } zur Nachricht hinzufügen
add-to-message = Zur Nachricht hinzufügen
new-collection = Neue Sammlung…
collection-name = Name der Sammlung
rename-named = { $name } umbenennen
delete-more = Löschen…
delete-files =
    { $count ->
        [one] { NUMBER($count) } Datei endgültig löschen? Was Antworten daraus zitiert haben, bleibt dort stehen.
       *[other] { NUMBER($count) } Dateien endgültig löschen? Was Antworten daraus zitiert haben, bleibt dort stehen.
    }
delete-collection = Die Sammlung „{ $name }“ löschen? Ihre Dateien bleiben.

## Home

ask = Was möchtest du wissen?
suggestions = Vorschläge
first-question-abilities = Was kannst du?
first-question-model = Wie füge ich ein Modell hinzu?
first-question-data = Wo liegen meine Daten?

## The model picker

model-button = Modell: { $name }
models = Modelle
search-models = Modelle suchen
find-model = Modell finden
best = Bestes (automatisch)
best-short = Bestes
best-description = Wählt ein Modell, das zur Frage passt.
no-model-found = Kein Modell heißt so.
model-missing = { $name } (nicht verfügbar)
model-missing-note = { $name } ist gerade nicht verfügbar. Bleibt es weg, antwortet stattdessen: { $other }.
choice-not-saved = Deine Wahl des Modells ist nicht gespeichert. { $reason }
other-provider = Andere
token-count =
    { $count ->
        [one] { NUMBER($count) } Token
       *[other] { NUMBER($count) } Token
    }
thousand-tokens = { NUMBER($count) }k Token
million-tokens = { NUMBER($count) }M Token
thousands = { NUMBER($count) }k

## Messages and answers

transcript = Verlauf des Chats
answers = Antworten, vorgelesen
you = Du
assistant = Antwort
regenerate = Neu antworten
remove = Entfernen
seam = Hier ging die Antwort nach einer Unterbrechung weiter
edit = Bearbeiten
go-on = Fortsetzen
retry = Noch einmal
change-model = Modell wechseln
another-model = Anderes Modell fragen
side-by-side = Nebeneinander
two-answers = Zwei Antworten
answers-of = Gezeigte Antwort
use-this = Diese verwenden
use-named = Diese verwenden: { $model }
stop-named = { $model } stoppen
latest = Zum Ende
earlier = Frühere Nachrichten zeigen
previous = Vorige Fassung
following = Nächste Fassung
queued = Wartet auf die Antwort davor
thinking-now = Denkt nach…
stopped = Gestoppt
interrupted = Unterbrochen
failed = Keine Antwort
reasoning = Gedankengang
reasoned-for = { $time } nachgedacht
tool-used = { $name } verwendet
tool-running = Verwendet { $name }…
tool-failed = { $name } ist fehlgeschlagen
tool-asked = { $name } angefragt
tool-arguments = Argumente
tool-output = Ausgabe
tool-error = Fehler
tool-cut = Der Rest war zu lang, um aufgehoben zu werden.
cut-at-length = Das Modell hat seine Höchstlänge erreicht. Setze fort, um weiterzulesen.
cut-by-filter = Der Inhaltsfilter des Anbieters hat diese Antwort beendet.
interrupted-reason = Die Antwort brach vor ihrem Ende ab.
source = Quelle { NUMBER($index) }
page = Seite { NUMBER($number) }
slide = Folie { NUMBER($number) }
sheet = Blatt { NUMBER($number) }
part = Teil { NUMBER($number) }
from-guide = Aus dem Handbuch von Unbroken
from-file = Aus deiner Datei
download = Herunterladen
earlier-text = Davor anzeigen
later-text = Danach anzeigen
opening = Wird geöffnet …
file-not-read = Diese Datei wird noch gelesen. Öffne sie gleich noch einmal.
file-is-gone = Diese Datei wurde gelöscht. Was die Antwort daraus zitiert hat, bleibt:
given-too =
    { $count ->
        [one] Dem Modell gegeben und nicht zitiert: eine Stelle
       *[other] Dem Modell gegeben und nicht zitiert: { NUMBER($count) } Stellen
    }

## The stream inspector

details = Details
model = Modell
first-text = Zeit bis zum ersten Text
tokens = Token
speed = Token pro Sekunde
records = Einträge
runs = Läufe
reconnects = Neue Verbindungen dieser Seite
hash = SHA-256 des Textes
milliseconds = { $time } ms
seconds = { $time } s

## What went wrong, and what a person can do about it

error-bad-request = Der Server hat die Anfrage nicht verstanden. Lade die Seite neu.
error-unauthorized = Deine Sitzung ist beendet. Lade die Seite neu, um eine neue zu beginnen.
error-forbidden = Diese Sitzung darf das nicht.
error-not-found = Diesen Chat gibt es nicht, oder er gehört dir nicht.
error-conflict = Diese Nachricht wurde schon mit einem anderen Text gesendet.
error-payload-too-large = Diese Nachricht ist zu lang. Kürze oder teile sie.
error-rate-limited = Zu viele Anfragen. Warte einen Moment und versuch es noch einmal.
error-quota-exceeded = Dein Kontingent ist aufgebraucht.
error-conversation-busy = Hier warten schon zehn Nachrichten. Lass erst einige beantworten.
error-model-unavailable = Dieses Modell ist nicht erreichbar. Versuch es noch einmal oder wähle ein anderes.
error-context-length-exceeded = Der Chat ist zu lang für dieses Modell. Wähle ein anderes oder beginne einen neuen Chat.
error-content-filtered = Der Anbieter will darauf nicht antworten. Formuliere es anders.
error-provider-auth = Der Anbieter lehnt den Schlüssel des Servers ab. Prüfe ihn.
error-provider-rate-limited = Der Anbieter bekommt zu viele Anfragen. Versuch es später noch einmal.
error-provider-overloaded = Der Anbieter ist überlastet. Versuch es später noch einmal.
error-provider-timeout = Der Anbieter hat nicht rechtzeitig geantwortet. Versuch es noch einmal.
error-provider-error = Beim Anbieter ist etwas schiefgegangen. Versuch es noch einmal.
error-provider-truncated = Der Anbieter hat die Antwort mittendrin beendet. Versuch es noch einmal.
error-owner-lost = Der Server wurde neu gestartet, während er antwortete.
error-storage-unavailable = Der Server kann gerade nichts speichern. Versuch es noch einmal.
error-draining = Der Server startet gleich neu. Versuch es in einem Moment noch einmal.
error-internal = Auf dem Server ist etwas schiefgegangen. Versuch es noch einmal.
unreachable = Der Server ist nicht erreichbar. Deine Nachricht bleibt erhalten; versuch es noch einmal, wenn das Netz zurück ist.
part-missing = Dieser Teil der App ließ sich nicht laden. Vielleicht fehlt das Netz.
try-again = Noch einmal versuchen

## Markdown

copy = Kopieren
copied = Kopiert
wrap = Umbrechen
show-source = Quelltext zeigen
show-diagram = Diagramm zeigen
diagram-of = Diagramm: { $kind }
diagram-too-slow = Dieses Diagramm zu zeichnen hat zu lange gedauert. Das ist sein Quelltext.
code = Code
table = Tabelle
copy-csv = Als CSV kopieren
formula = Formel
formula-as-written = Diese Formel steht hier so, wie sie geschrieben wurde
image = Bild
task = Aufgabe
footnote = Fußnote { NUMBER($number) }
back-to-reference = Zurück zum Verweis { NUMBER($number) }

## The connection

connection = Verbindung
reconnecting = Verbindet neu…
offline = Offline
gate-title = Dieser Server fragt nach einem Zugangscode
gate-about = Wer ihn betreibt, kann ihn dir sagen. Dieses Gerät merkt sich, dass du eintreten darfst.
access-code = Zugangscode
open = Öffnen
down-title = Der Server antwortet nicht

## The list of conversations

conversations = Chats
new-chat = Neuer Chat
no-conversations = Noch nichts hier
untitled = Neuer Chat
running = Antwortet
load-more = Mehr laden
rename = Umbenennen
delete = Löschen
pinned = Angeheftet
pin = Anheften
unpin = Lösen
archive = Archivieren
unarchive = Aus dem Archiv holen
move-to-folder = Verschieben…
more-about = Mehr: { $title }
deleted = Gelöscht.
undo = Rückgängig
not-restored = Dieser Chat ließ sich nicht zurückholen.
today = Heute
yesterday = Gestern
previous-7-days = Letzte 7 Tage
previous-30-days = Letzte 30 Tage
folder = Ordner
folder-title = In Ordner verschieben
folder-about = Wähle einen Ordner oder benenne einen neuen.
no-folder = Kein Ordner
new-folder = Neuer Ordner
move-there = Verschieben

## History

history = Verlauf
show = Anzeigen
archived = Archiv
no-archived = Nichts ist archiviert. Was du archivierst, verlässt die Seitenleiste und bleibt hier.

## The search

search = Suchen
search-conversations = Chats durchsuchen
search-hint = Gib ein Wort ein, oder eine Wortfolge in Anführungszeichen. Durchsucht werden Titel und Nachrichten.
search-failed = Die Suche hat nicht geklappt. Versuch es noch einmal.
searching = Sucht…
nothing-found = In keiner Nachricht steht „{ $query }“.

## Temporary chats

temporary = Temporär
temporary-about = Dieser Chat steht in keiner Liste und keiner Suche und wird einen Tag nach der letzten Nachricht gelöscht.

## The frame of the page

home-link = Unbroken, Startseite
close = Schließen
collapse-sidebar = Seitenleiste einklappen
expand-sidebar = Seitenleiste ausklappen
open-sidebar = Seitenleiste öffnen
close-sidebar = Seitenleiste schließen
nothing-here = Unter dieser Adresse gibt es nichts.
begin = Neuen Chat beginnen.

## The command palette, and the actions in it

commands = Befehle
palette = Befehlspalette
palette-field = Befehl, Modell oder Chat finden
palette-placeholder = Alles finden
palette-nothing = Nichts passt zu diesen Wörtern.
results = Ergebnisse
actions = Befehle
in-messages = In Nachrichten gefunden
shortcuts = Tastenkürzel
shortcuts-about = Einzelne Tasten wirken, solange du nicht schreibst.
key-control = Strg
shortcuts-also = Tastatur Hilfe
new-chat-also = beginnen starten Unterhaltung
temporary-chat = Neuer temporärer Chat
temporary-chat-also = privat inkognito
search-also = finden Nachrichten
rename-this = Diesen Chat umbenennen
rename-also = Titel
pin-this = Diesen Chat anheften
pin-also = behalten Favorit
unpin-this = Diesen Chat lösen
archive-this = Diesen Chat archivieren
archive-also = weglegen
delete-this = Diesen Chat löschen
delete-also = entfernen
share-this = Diesen Chat teilen
share-also = Link veröffentlichen
export-this = Diesen Chat exportieren
export-also = herunterladen speichern markdown html json
export-all = Alles exportieren
export-all-also = herunterladen speichern Sicherung Daten
import-chats = Chats importieren
import-also = hochladen mitbringen chatgpt claude Daten
links = Geteilte Links
links-also = zurückziehen teilen Freigaben Daten
go-history = Zum Verlauf
history-also = Chats alle Liste
write = Nachricht schreiben
write-also = Eingabefeld
send-message = Nachricht senden
break-line = Neue Zeile beginnen
edit-last = Letzte Nachricht bearbeiten
edit-last-also = Frage ändern
copy-last = Letzte Antwort kopieren
copy-last-also = Zwischenablage
regenerate-last = Letzte Frage neu beantworten
regenerate-also = noch einmal Antwort
stop-answer = Antwort stoppen
stop-also = abbrechen beenden
choose-model = Modell wählen
choose-model-also = Auswahl wechseln
light-appearance = Darstellung: hell
light-also = Design Tag
dark-appearance = Darstellung: dunkel
dark-also = Design Nacht
system-appearance = Darstellung: wie das System
system-also = Design automatisch
fold-sidebar = Seitenleiste ein- oder ausklappen
fold-sidebar-also = verbergen zeigen
ask-guide = Handbuch öffnen
guide-also = Hilfe Dokumentation Anleitung quotes
settings-also = Optionen Konfiguration
prompts-also = Vorlagen Bibliothek
instructions-also = Systemprompt eigene
answer-copied = Die Antwort ist in der Zwischenablage.
not-copied = Der Browser lässt diese Seite nicht an die Zwischenablage.

## Conversations that come in and go out

share-or-export = Teilen oder exportieren
export-menu = Exportieren…
export = Exportieren
export-all-about = Alle deine Chats in einer Datei.
export-failed = Die Datei kam nicht vollständig an. Versuch es noch einmal, wenn das Netz zurück ist.
preparing = Die Datei wird vorbereitet…
formats = Format
json-about = Alles, was es gibt, auch andere Zweige. Lässt sich wieder importieren.
markdown-about = Text zum Lesen und Bearbeiten: was du jetzt siehst.
markdown-all-about = Ein ZIP mit einem Text für jeden Chat.
html-about = Eine Seite zum Lesen und Drucken: was du jetzt siehst.
html-all-about = Ein ZIP mit einer Seite für jeden Chat.
export-as = Als { $format } exportieren
choose-file = Datei wählen…
or-drop = oder hier ablegen
import-about = Ein Export von ChatGPT, Claude, Open WebUI, LibreChat oder Unbroken, als JSON oder ZIP. Was schon hier ist, wird nicht geändert, und nichts kommt doppelt.
one-file = Bitte nur eine Datei auf einmal. Mehrere passen in ein ZIP.
imports = Importe
sending-file = { $name } wird gesendet
sent = Bisher gesendet
sent-of = { $sent } von { $bytes }
megabytes = { $number } MB
not-sent = „{ $name }“ ließ sich nicht senden. Versuch es noch einmal, wenn das Netz zurück ist. Eine Datei von mehr als 1 GiB muss geteilt werden.
import-waiting = Wartet, bis er an der Reihe ist
import-counting = Die Chats werden gezählt
import-running = Wird importiert
import-done = Importiert
import-failed = Nicht importiert
imported-so-far = Bisher importiert
import-goes-on = Du kannst das hier schließen, neu laden oder gehen: Der Server macht von selbst weiter.
import-progress =
    { NUMBER($done) } von { $total ->
        [one] { NUMBER($total) } Chat
       *[other] { NUMBER($total) } Chats
    } angesehen: { $conversations ->
        [one] { NUMBER($conversations) } Chat
       *[other] { NUMBER($conversations) } Chats
    } und { $messages ->
        [one] { NUMBER($messages) } Nachricht
       *[other] { NUMBER($messages) } Nachrichten
    } übernommen
import-nothing-new = Nichts Neues.
import-came-in =
    { $conversations ->
        [one] { NUMBER($conversations) } Chat
       *[other] { NUMBER($conversations) } Chats
    } und { $messages ->
        [one] { NUMBER($messages) } Nachricht
       *[other] { NUMBER($messages) } Nachrichten
    } übernommen.
import-came-into =
    { $messages ->
        [one] { NUMBER($messages) } Nachricht
       *[other] { NUMBER($messages) } Nachrichten
    } in Chats übernommen, die schon hier waren.
import-unchanged =
    { $count ->
        [one] { NUMBER($count) } Chat war schon hier, unverändert.
       *[other] { NUMBER($count) } Chats waren schon hier, unverändert.
    }
import-is-done = Der Import ist fertig. { $result }
import-has-failed = Der Import ist gescheitert. { $reason }
fault-not-json = Diese Datei ist weder JSON noch ein ZIP mit JSON darin.
fault-cut-off = Die Datei hört mittendrin auf. Lade sie noch einmal herunter.
fault-damaged-zip = Das ZIP ist beschädigt. Lade es noch einmal herunter.
fault-too-much = Das ZIP enthält mehr, als dieser Server auspackt.
fault-unreadable = Der Server kann die Datei nicht lesen, die er gespeichert hat. Versuche es später noch einmal.
not-imported = Was vor dem Fehler übernommen wurde, bleibt. Berichtige die Datei oder exportiere sie dort noch einmal und wähle sie wieder: Nichts kommt doppelt.
import-notes = Was nicht so mitkam, wie es war
note-image =
    { $count ->
        [one] { NUMBER($count) } Bild
       *[other] { NUMBER($count) } Bilder
    }: An der Stelle steht eine Zeile in Klammern.
note-file =
    { $count ->
        [one] { NUMBER($count) } Datei
       *[other] { NUMBER($count) } Dateien
    }: An der Stelle steht eine Zeile in Klammern.
note-audio =
    { $count ->
        [one] { NUMBER($count) } Aufnahme
       *[other] { NUMBER($count) } Aufnahmen
    }: An der Stelle steht eine Zeile in Klammern.
note-tool =
    { $count ->
        [one] { NUMBER($count) } Aufruf eines Werkzeugs
       *[other] { NUMBER($count) } Aufrufe von Werkzeugen
    }: als Text behalten oder weggelassen.
note-system =
    { $count ->
        [one] { NUMBER($count) } verborgene Anweisung
       *[other] { NUMBER($count) } verborgene Anweisungen
    }: weggelassen.
note-empty =
    { $count ->
        [one] { NUMBER($count) } leerer Chat
       *[other] { NUMBER($count) } leere Chats
    }: weggelassen.
note-unreadable =
    { $count ->
        [one] { NUMBER($count) } Stück
       *[other] { NUMBER($count) } Stücke
    }: nicht als Chat lesbar, weggelassen.
note-too-large =
    { $count ->
        [one] { NUMBER($count) } Chat
       *[other] { NUMBER($count) } Chats
    }: größer als 64 MiB, weggelassen.
note-shortened =
    { $count ->
        [one] { NUMBER($count) } Text
       *[other] { NUMBER($count) } Texte
    }: zu lang, gekürzt.
note-changed =
    { $count ->
        [one] { NUMBER($count) } Text lautet dort jetzt anders
       *[other] { NUMBER($count) } Texte lauten dort jetzt anders
    }: hier unverändert behalten.
note-other =
    { $count ->
        [one] { NUMBER($count) } Stück anderer Art
       *[other] { NUMBER($count) } Stücke anderer Art
    }: weggelassen oder als Text behalten.
for-example = In
quoted = „{ $title }“
share-menu = Teilen…
share = Teilen
share-about = Wer den Link hat, kann eine Kopie dieses Chats lesen, so wie er jetzt ist, ohne Konto. Sie verrät nicht, wer du bist, und was du später schreibst, steht nicht darin.
keep-link = Den Link behalten, wenn ich den Chat lösche
keep-link-about = Sonst verschwindet er mit dem Chat. Du kannst ihn jederzeit zurückziehen.
create-link = Link erstellen
copy-link = Link kopieren
revoke = Zurückziehen
links-here = Links zu diesem Chat
links-about = Wer einen davon hat, liest, was damals im Chat stand.
no-links = Du teilst nichts.
link-stays = bleibt, wenn der Chat gelöscht wird
delete-all = Alles löschen
delete-all-menu = Alles löschen…
delete-all-title = Alles löschen?
delete-all-about = Endgültig und auf allen deinen Geräten.
delete-all-goes = Was verschwindet
all-conversations-go = Alle Chats, auch archivierte, temporäre und solche in Ordnern
all-answers-go = Antworten, die gerade geschrieben werden: Sie werden gestoppt
all-files-go = Deine Dateien und Sammlungen
all-links-go = Alle Links, die du teilst, auch die, die bleiben sollten
all-imports-go = Importe: die laufenden und ihre Berichte
all-drafts-go = In diesem Browser: Entwürfe in Chats und Kopien zum Lesen ohne Netz
delete-all-stays = Was bleibt
all-prompts-stay = Deine Prompts und dein Standardmodell
all-choices-stay = Darstellung, Sprache und Anweisungen in diesem Browser
delete-all-words = alles löschen
delete-all-type = Gib zur Bestätigung „{ $words }“ oder „delete everything“ ein
everything-deleted =
    Alles ist gelöscht: { $count ->
        [one] { NUMBER($count) } Chat
       *[other] { NUMBER($count) } Chats
    }.

## Prompts

prompts = Prompts
no-prompts = Lege hier Texte ab, die du oft fragst
manage-prompts = Prompts…
manage-prompts-about = Anlegen, ändern oder löschen
prompts-about = Texte, die du oft fragst. Schreib / an den Anfang einer Nachricht, um einen zu verwenden, auf jedem deiner Geräte.
new-prompt = Neuer Prompt
prompt-name = Name
prompt-text = Text
prompt-example = Fasse {"{{"}Text{"}}"} in drei Sätzen zusammen.
variables-about = Schreib {"{{"}Name{"}}"} für das, was sich ändert. Beim Verwenden springt Tab von einem zum nächsten.
asks-for = Ändert sich jedes Mal: { $names }.
delete-named = { $name } löschen
delete-prompt = Den Prompt „{ $name }“ löschen?
edit-named = { $name } bearbeiten

## A server without a model

no-model-title = Dieser Server hat noch kein Sprachmodell
no-model-found-yet = Er sucht jede halbe Minute auf seinem eigenen Rechner nach Ollama, llama.cpp, LM Studio und vLLM und hat keines gefunden. Starte eines, und dieser Hinweis verschwindet von selbst.
try-guide = Stattdessen das Handbuch fragen
add-model = Ein Modell hinzufügen
add-model-about = Ein Modellserver an einem anderen Port oder auf einem anderen Rechner kommt in die Datei unbroken.toml im Datenordner. Starte Unbroken nach einer Änderung neu.
ollama-about = Wird an Port 11434 dieses Rechners von selbst gefunden. Läuft es anderswo, ändere die Adresse:
llama-cpp-about = Wird an Port 8080 dieses Rechners von selbst gefunden. Läuft es anderswo, ändere die Adresse:
openai-compatible = Jeder OpenAI-kompatible Dienst
openai-compatible-about = Der Schlüssel kommt aus der genannten Umgebungsvariablen und bleibt auf dem Server:
lines-for = Zeilen für { $name }
copy-lines-for = Zeilen für { $name } kopieren

## The settings

settings = Einstellungen
settings-sections = Abschnitte
all-settings = Alle Einstellungen
appearance = Darstellung
light = Hell
dark = Dunkel
system = System
language = Sprache
language-of-browser = Wie der Browser
model-and-instructions = Modell und Anweisungen
default-model = Standardmodell
default-model-about = Beantwortet alles, was du fragst, auf allen deinen Geräten, bis du ein anderes wählst.
instructions = Anweisungen für jede Antwort
instructions-example = Antworte kurz. Ich schreibe Rust und wohne in Madrid.
instructions-about = Geht als Systemprompt mit jeder neuen Nachricht an das Modell. Bleibt nur auf diesem Gerät.
reading-aloud = Screenreader
announce = Der Screenreader liest die Antwort
announce-sentences = Satz für Satz
announce-end = Am Ende
announce-off = Nie
notifications = Mitteilungen
notify = Mitteilen, wenn eine lange Antwort endet
notify-blocked = Dieser Browser lässt von hier keine Benachrichtigungen zu. In seinen Einstellungen für diese Seite kannst du sie erlauben.
on = An
off = Aus
answer-ready = Die Antwort ist da.
data = Daten
data-where = Chats, Prompts und dein Standardmodell liegen auf dem Server, von dem du diese Seite geöffnet hast, und nirgends sonst.
data-device = Entwürfe, Darstellung, Sprache und Anweisungen bleiben in diesem Browser.
about = Über Unbroken
about-text = Eine Antwort ist ein Protokoll, keine Verbindung: Weder Neuladen noch ein verlorenes Netz noch ein Neustart des Servers verliert oder verdoppelt ein Wort. Alles bleibt auf dem Server, von dem du diese Seite geöffnet hast.
about-guide = Das Handbuch ist in der App: Das Modell „quotes“ antwortet daraus auf Englisch, mit den Textstellen.
