### Every text of the app, in English: the language that all others follow.
###
### To add a text, add a message here and in every other file of this folder; the build says which
### file lacks it. The app calls it as a function: `new-chat` is `words::new_chat()`. A constant becomes a
### message by its name in small letters with `-` for `_`.
###
### `{ $name }` is a text and becomes `&str`. What is counted becomes `u64`: `{ NUMBER($count) }`, or
### `{ $count -> [one] … *[other] … }` for plurals. A brace is `{"{"}`. A text is one line, and has no
### terms, attributes or references. Names that UI.md lists for tests and screen readers stay word for word.

## The composer

message = Message
placeholder-home = Ask anything
placeholder-chat = Reply
send = Send
stop = Stop
sources = Sources
attach = Attach
web = Web
web-not-here = This server has no search engine. The guide says how to add one.
web-about = Search the web for each answer
sending = Sending…
cancel = Cancel
save = Save
queue = Queue
next = Next:
then = Then:
kept-for-later = Will be sent when the network is back
message-too-long = This message is { $size } too long. The limit is 1 MiB; shorten it or split it.
near-limit = This message has { $size } of at most 1 MiB. Shorten it or split it.
near-context = This is about { $tokens } of the { $context } that the model reads at once, earlier messages not counted. Shorten it, or choose a model that reads more.
size-bytes = { NUMBER($count) } bytes
size-kib = { NUMBER($count) } KiB
size-mib = { NUMBER($count) } MiB
editing-branch = Editing a message: it is asked again, and the old one stays.
editing-queued = Editing a message that waits.
dictate = Dictate
dictate-about = Dictate. Your browser writes down what you say, and may use its maker's service for that.
listening = Listening…
dictation-failed = The browser cannot listen. Allow it to use the microphone, and try again.
drop-here = Drop files here

## Attachments

attachments = Attachments
open-named = Open { $name }
remove-named = Remove { $name }
retry-named = Retry { $name }
reading-file = Reading…
pages =
    { $count ->
        [one] { NUMBER($count) } page
       *[other] { NUMBER($count) } pages
    }
waits-for-files = Will be sent when the files are there
attachments-stuck = Not everything that is attached can go along. Remove it, or try it again, and then send.
attachments-full = A message takes at most { NUMBER($count) } attachments.
attach-no-more = A message that waits takes no more files. Remove it, and send it anew with them.
attached-already = “{ $name }” is attached already.
file-attached = “{ $name }” is attached.
told-of = “{ $name }”: { $reason }
deleted-file = Deleted file
file-unsent = Could not be sent.
file-too-large = Larger than this server takes.
files-full = Your files fill all the space that you have here. Delete some of them.
file-empty = There is no text in this file.
file-unpacks = This file is too large, or unpacks to too much. Send a smaller part of it.
file-encrypted = This file is locked with a password. Save it without one and send it again.
file-scanned = This file holds only pictures of text. Run text recognition (OCR) over it and send it again.
file-unsupported = Files of this kind can’t be read. Save it as PDF, Office, text or HTML.
file-damaged = This file is damaged or incomplete. Try to open and save it anew.
file-too-much-text = This file holds more text than can be read. Send a smaller part of it.
file-out-of-time = Reading this file took too long. Send a smaller part of it.
file-out-of-memory = Reading this file needs too much memory. Send a smaller part of it.
file-unreadable = The server could not read this file. Remove it and attach it again.

## Files and collections

your-files = Your files
your-files-also = attachments documents collections library
search-files = Search files or paste a web address
files = Files
collections = Collections
web-pages = Web pages
pages-in =
    { $count ->
        [one] { NUMBER($count) } web page
       *[other] { NUMBER($count) } web pages
    }
files-in =
    { $count ->
        [one] { NUMBER($count) } file
       *[other] { NUMBER($count) } files
    }
files-used = { $used } of { $quota } used
no-files = Nothing here yet. What you attach to messages is kept here.
no-file-found = No file is called that.
add = Add
add-named = Add { $name } to the message
add-to-message = Add to the message
new-collection = New collection…
collection-name = Name of the collection
rename-named = Rename { $name }
delete-more = Delete…
delete-files =
    { $count ->
        [one] Delete { NUMBER($count) } file for good? What answers quoted of it stays in them.
       *[other] Delete { NUMBER($count) } files for good? What answers quoted of them stays there.
    }
delete-collection = Delete the collection “{ $name }”? Its files stay.

## Home

ask = What would you like to know?
suggestions = Suggestions
first-question-abilities = What can you do?
first-question-model = How do I add a model?
first-question-data = Where is my data kept?

## The model picker

model-button = Model: { $name }
models = Models
search-models = Search models
find-model = Find a model
best = Best (automatic)
best-short = Best
best-description = Picks a model that suits the question.
no-model-found = No model has that name.
model-missing = { $name } (not available)
model-missing-note = { $name } is not available now. If it stays away, { $other } answers instead.
choice-not-saved = Your choice of model is not saved. { $reason }
other-provider = Other
token-count =
    { $count ->
        [one] { NUMBER($count) } token
       *[other] { NUMBER($count) } tokens
    }
thousand-tokens = { NUMBER($count) }k tokens
million-tokens = { NUMBER($count) }M tokens
thousands = { NUMBER($count) }k

## Messages and answers

transcript = Transcript
answers = Answers, read aloud
you = You
assistant = Answer
regenerate = Regenerate
remove = Remove
seam = The answer went on here after a break
edit = Edit
go-on = Continue
retry = Retry
change-model = Change model
another-model = Ask another model
side-by-side = Side by side
two-answers = Two answers
answers-of = Answer to show
use-this = Use this one
use-named = Use this one: { $model }
stop-named = Stop { $model }
latest = Latest
earlier = Show earlier messages
previous = Previous version
following = Next version
queued = Waiting for the answer before it
thinking-now = Thinking…
stopped = Stopped
interrupted = Interrupted
failed = No answer
reasoning = Reasoning
reasoned-for = Reasoned for { $time }
tool-used = Used { $name }
tool-running = Using { $name }…
tool-failed = { $name } failed
tool-asked = Asked for { $name }
tool-arguments = Arguments
tool-output = Output
tool-error = Error
tool-cut = The rest was too long to be kept.
cut-at-length = The model reached its limit of output. Continue to read on.
cut-by-filter = The provider's content filter ended this answer.
interrupted-reason = The answer broke off before its end.
source = Source { NUMBER($index) }
page = Page { NUMBER($number) }
slide = Slide { NUMBER($number) }
sheet = Sheet { NUMBER($number) }
part = Part { NUMBER($number) }
from-guide = From Unbroken's guide
from-file = From your file
download = Download
earlier-text = Show what comes before
later-text = Show what comes after
opening = Opening…
file-not-read = This file is still being read. Open it again in a moment.
file-is-gone = This file was deleted. What the answer quoted from it stays:
given-too =
    { $count ->
        [one] Given to the model and not cited: one passage
       *[other] Given to the model and not cited: { NUMBER($count) } passages
    }

## The stream inspector

details = Details
model = Model
first-text = Time to first text
tokens = Tokens
speed = Tokens a second
records = Records
runs = Runs
reconnects = Reconnects of this page
hash = SHA-256 of the text
milliseconds = { $time } ms
seconds = { $time } s

## What went wrong, and what a person can do about it

error-bad-request = The server did not understand the request. Reload the page.
error-unauthorized = Your session has ended. Reload the page to begin a new one.
error-forbidden = This session may not do that.
error-not-found = This conversation does not exist, or is not yours.
error-conflict = This message was sent before with another text.
error-payload-too-large = This message is too long. Shorten it or split it.
error-rate-limited = Too many requests. Wait a moment and try again.
error-quota-exceeded = Your quota is used up.
error-conversation-busy = Ten messages wait here already. Let some be answered first.
error-model-unavailable = This model cannot be reached. Try again or choose another.
error-context-length-exceeded = The conversation is too long for this model. Choose another or begin a new one.
error-content-filtered = The provider refuses to answer this. Word it differently.
error-provider-auth = The provider refuses the server's key. Check it.
error-provider-rate-limited = The provider gets too many requests. Try again later.
error-provider-overloaded = The provider is overloaded. Try again later.
error-provider-timeout = The provider did not answer in time. Try again.
error-provider-error = The provider failed. Try again.
error-provider-truncated = The provider ended the answer in its middle. Try again.
error-owner-lost = The server restarted while it was answering.
error-storage-unavailable = The server cannot store anything now. Try again.
error-draining = The server is about to restart. Try again in a moment.
error-internal = Something went wrong on the server. Try again.
unreachable = The server cannot be reached. Your message is kept; try again when the network is back.
part-missing = This part of the app could not be loaded. The network may be down.
try-again = Try again

## Markdown

copy = Copy
copied = Copied
wrap = Wrap
show-source = Show source
show-diagram = Show diagram
diagram-of = Diagram: { $kind }
diagram-too-slow = This diagram took too long to draw. This is its source.
code = Code
table = Table
copy-csv = Copy as CSV
formula = Formula
formula-as-written = This formula is shown as it was written
image = Image
task = Task
footnote = Footnote { NUMBER($number) }
back-to-reference = Back to reference { NUMBER($number) }

## The connection

connection = Connection
reconnecting = Reconnecting…
offline = Offline
gate-title = This server asks for an access code
gate-about = Whoever runs it can tell you. This device remembers that you were let in.
access-code = Access code
open = Open
down-title = The server does not answer

## The list of conversations

conversations = Conversations
new-chat = New chat
no-conversations = Nothing here yet
untitled = New conversation
running = Answering
load-more = Load more
rename = Rename
delete = Delete
pinned = Pinned
pin = Pin
unpin = Unpin
archive = Archive
unarchive = Unarchive
move-to-folder = Move to folder…
more-about = More: { $title }
deleted = Deleted.
undo = Undo
not-restored = This conversation could not be brought back.
today = Today
yesterday = Yesterday
previous-7-days = Previous 7 days
previous-30-days = Previous 30 days
folder = Folder
folder-title = Move to folder
folder-about = Choose a folder, or name a new one.
no-folder = No folder
new-folder = New folder
move-there = Move

## History

history = History
show = Show
archived = Archive
no-archived = Nothing is archived. What you archive leaves the sidebar and stays here.

## The search

search = Search
search-conversations = Search conversations
search-hint = Type a word, or a phrase in quotes. Titles and messages are searched.
search-failed = The search did not work. Try again.
searching = Searching…
nothing-found = No message holds “{ $query }”.

## Temporary chats

temporary = Temporary
temporary-about = This chat is in no list and no search, and is erased a day after its last message.

## The frame of the page

home-link = Unbroken, home
close = Close
collapse-sidebar = Collapse sidebar
expand-sidebar = Expand sidebar
open-sidebar = Open sidebar
close-sidebar = Close sidebar
nothing-here = There is nothing at this address.
begin = Begin a new chat.

## The command palette, and the actions in it
## A message that ends in `-also` has further words by which an action is found. They are not shown.

commands = Commands
palette = Command palette
palette-field = Find an action, a model or a conversation
palette-placeholder = Find anything
palette-nothing = Nothing has these words.
results = Results
actions = Actions
in-messages = Found in messages
shortcuts = Keyboard shortcuts
shortcuts-about = Those of one key work while you are not typing.
key-control = Ctrl
shortcuts-also = keys help
new-chat-also = begin start conversation
temporary-chat = New temporary chat
temporary-chat-also = private incognito
search-also = find messages
rename-this = Rename this conversation
rename-also = title
pin-this = Pin this conversation
pin-also = keep favourite
unpin-this = Unpin this conversation
archive-this = Archive this conversation
archive-also = put away
delete-this = Delete this conversation
delete-also = remove
share-this = Share this conversation
share-also = link publish
export-this = Export this conversation
export-also = download save markdown html json
export-all = Export everything
export-all-also = download save backup data
import-chats = Import conversations
import-also = upload bring chatgpt claude data
links = Shared links
links-also = revoke shares data
go-history = Go to history
history-also = conversations all list
write = Write a message
write-also = composer focus
send-message = Send the message
break-line = Begin a new line
edit-last = Edit the last message
edit-last-also = change question
copy-last = Copy the last answer
copy-last-also = clipboard response
regenerate-last = Regenerate the last answer
regenerate-also = again retry answer
stop-answer = Stop the answer
stop-also = cancel end
choose-model = Choose a model
choose-model-also = picker switch
light-appearance = Appearance: light
light-also = theme bright
dark-appearance = Appearance: dark
dark-also = theme night
system-appearance = Appearance: as the system
system-also = theme automatic
fold-sidebar = Fold or unfold the sidebar
fold-sidebar-also = collapse expand hide
ask-guide = Open the guide
guide-also = help documentation manual quotes
settings-also = preferences options
prompts-also = templates library
instructions-also = system prompt custom
answer-copied = The answer is on the clipboard.
not-copied = The browser does not let this page use the clipboard.

## Conversations that come in and go out

share-or-export = Share or export
export-menu = Export…
export = Export
export-all-about = All your conversations, in one file.
export-failed = The file did not arrive as a whole. Try again when the network is back.
preparing = Preparing the file…
formats = Format
json-about = All there is, other branches too. Can be imported again.
markdown-about = Text to read and to edit: what you see now.
markdown-all-about = A ZIP with a text for each conversation.
html-about = A page to read and to print: what you see now.
html-all-about = A ZIP with a page for each conversation.
export-as = Export as { $format }
choose-file = Choose a file…
or-drop = or drop it here
import-about = An export of ChatGPT, Claude, Open WebUI, LibreChat or Unbroken, as JSON or ZIP. What is here already is not changed, and nothing comes twice.
one-file = One file at a time, please. Several can be put into a ZIP.
imports = Imports
sending-file = Sending { $name }
sent = Sent so far
sent-of = { $sent } of { $bytes }
megabytes = { $number } MB
not-sent = “{ $name }” could not be sent. Try again when the network is back. A file of more than 1 GiB has to be divided.
import-waiting = Waiting for its turn
import-counting = Counting the conversations
import-running = Importing
import-done = Imported
import-failed = Not imported
imported-so-far = Imported so far
import-goes-on = You can close this, reload, or leave: the server goes on by itself.
import-progress =
    { NUMBER($done) } of { $total ->
        [one] { NUMBER($total) } conversation
       *[other] { NUMBER($total) } conversations
    } looked at: { $conversations ->
        [one] { NUMBER($conversations) } conversation
       *[other] { NUMBER($conversations) } conversations
    } and { $messages ->
        [one] { NUMBER($messages) } message
       *[other] { NUMBER($messages) } messages
    } came in
import-nothing-new = Nothing new.
import-came-in =
    { $conversations ->
        [one] { NUMBER($conversations) } conversation
       *[other] { NUMBER($conversations) } conversations
    } and { $messages ->
        [one] { NUMBER($messages) } message
       *[other] { NUMBER($messages) } messages
    } came in.
import-came-into =
    { $messages ->
        [one] { NUMBER($messages) } message
       *[other] { NUMBER($messages) } messages
    } came into conversations that were here.
import-unchanged =
    { $count ->
        [one] { NUMBER($count) } conversation was here already, unchanged.
       *[other] { NUMBER($count) } conversations were here already, unchanged.
    }
import-is-done = The import is done. { $result }
import-has-failed = The import failed. { $reason }
fault-not-json = This file is neither JSON nor a ZIP with JSON in it.
fault-cut-off = The file ends in the middle. Download it once more.
fault-damaged-zip = The ZIP is damaged. Download it once more.
fault-too-much = The ZIP holds more than this server unpacks.
fault-unreadable = The server cannot read the file that it stored. Try again later.
not-imported = What came in before the fault stays. Mend the file, or export it once more there, and choose it again: nothing comes twice.
import-notes = What did not come along as it was
note-image =
    { $count ->
        [one] { NUMBER($count) } image
       *[other] { NUMBER($count) } images
    }: a line in brackets stands in its place.
note-file =
    { $count ->
        [one] { NUMBER($count) } file
       *[other] { NUMBER($count) } files
    }: a line in brackets stands in its place.
note-audio =
    { $count ->
        [one] { NUMBER($count) } recording
       *[other] { NUMBER($count) } recordings
    }: a line in brackets stands in its place.
note-tool =
    { $count ->
        [one] { NUMBER($count) } use of a tool
       *[other] { NUMBER($count) } uses of tools
    }: kept as text, or left out.
note-system =
    { $count ->
        [one] { NUMBER($count) } hidden instruction
       *[other] { NUMBER($count) } hidden instructions
    }: left out.
note-empty =
    { $count ->
        [one] { NUMBER($count) } empty conversation
       *[other] { NUMBER($count) } empty conversations
    }: left out.
note-unreadable =
    { $count ->
        [one] { NUMBER($count) } piece
       *[other] { NUMBER($count) } pieces
    }: not a conversation that can be read: left out.
note-too-large =
    { $count ->
        [one] { NUMBER($count) } conversation
       *[other] { NUMBER($count) } conversations
    }: larger than 64 MiB: left out.
note-shortened =
    { $count ->
        [one] { NUMBER($count) } text
       *[other] { NUMBER($count) } texts
    }: too long: shortened.
note-changed =
    { $count ->
        [one] { NUMBER($count) } text that says something else there now: kept as it is here.
       *[other] { NUMBER($count) } texts that say something else there now: kept as they are here.
    }
note-other =
    { $count ->
        [one] { NUMBER($count) } piece of another kind
       *[other] { NUMBER($count) } pieces of other kinds
    }: left out, or kept as text.
for-example = In
quoted = “{ $title }”
share-menu = Share…
share = Share
share-about = Whoever has the link can read a copy of this conversation as it is now, without an account. It does not say who you are, and what you write later is not in it.
keep-link = Keep the link when I delete the conversation
keep-link-about = Otherwise it goes with the conversation. You can revoke it at any time.
create-link = Create link
copy-link = Copy link
revoke = Revoke
links-here = Links to this conversation
links-about = Whoever has one of these reads what the conversation said then.
no-links = You share nothing.
link-stays = stays when the conversation is deleted
delete-all = Delete everything
delete-all-menu = Delete everything…
delete-all-title = Delete everything?
delete-all-about = For good, and on all your devices.
delete-all-goes = What goes
all-conversations-go = All conversations, also what is archived, in folders, or temporary
all-answers-go = Answers that are being written: they are stopped
all-files-go = Your files and collections
all-links-go = All links that you share, also those that were to stay
all-imports-go = Imports: those that run, and their reports
all-drafts-go = In this browser: drafts in conversations, and copies for reading offline
delete-all-stays = What stays
all-prompts-stay = Your prompts and your default model
all-choices-stay = Appearance, language and instructions in this browser
delete-all-words = delete everything
delete-all-type = Type “{ $words }” to confirm
everything-deleted =
    Everything is deleted: { $count ->
        [one] { NUMBER($count) } conversation
       *[other] { NUMBER($count) } conversations
    }.

## Prompts

prompts = Prompts
no-prompts = Keep a text here that you ask often
manage-prompts = Prompts…
manage-prompts-about = Make, change or delete them
prompts-about = Texts that you ask often. Type / at the beginning of a message to use one, on any of your devices.
new-prompt = New prompt
prompt-name = Name
prompt-text = Text
prompt-example = Sum up {"{{"}text{"}}"} in three sentences.
variables-about = Write {"{{"}name{"}}"} for what changes. Tab goes from one to the next when you use it.
asks-for = Changes each time: { $names }.
delete-named = Delete { $name }
delete-prompt = Delete the prompt “{ $name }”?
edit-named = Edit { $name }

## A server without a model

no-model-title = This server has no language model yet
no-model-found-yet = It looks for Ollama, llama.cpp, LM Studio and vLLM on its own machine every half a minute and has found none. Start one, and this page goes by itself.
try-guide = Ask the guide instead
add-model = Add a model
add-model-about = A model server at another port or on another machine goes into unbroken.toml in the data folder. Restart Unbroken after a change.
ollama-about = Found by itself at port 11434 of this machine. Elsewhere, change the address:
llama-cpp-about = Found by itself at port 8080 of this machine. Elsewhere, change the address:
openai-compatible = Any OpenAI-compatible service
openai-compatible-about = The key comes from the environment variable that is named, and stays on the server:
lines-for = Lines for { $name }
copy-lines-for = Copy the lines for { $name }

## The settings

settings = Settings
settings-sections = Sections
all-settings = All settings
appearance = Appearance
light = Light
dark = Dark
system = System
language = Language
language-of-browser = As the browser says
model-and-instructions = Model and instructions
default-model = Default model
default-model-about = Answers everything you ask, on all your devices, until you choose another.
instructions = Instructions for every answer
instructions-example = Answer briefly. I write Rust and live in Madrid.
instructions-about = Sent to the model with every new message as its system prompt. Kept on this device only.
reading-aloud = Screen reader
announce = Screen reader hears the answer
announce-sentences = By sentence
announce-end = At the end
announce-off = Never
notifications = Notifications
notify = Notify me when a long answer ends
notify-blocked = This browser does not allow notifications from here. You can allow them in its settings for this site.
on = On
off = Off
answer-ready = The answer is ready.
data = Data
data-where = Conversations, prompts and your default model are kept on the server that you opened this page from, and nowhere else.
data-device = Drafts, appearance, language and instructions are kept in this browser.
about = About
about-text = An answer is a log, not a connection: a reload, a lost network or a restarted server neither loses nor doubles a word. Everything stays on the server that you opened this page from.
about-guide = The guide is inside the app: the model “quotes” answers from it, with the passages.
