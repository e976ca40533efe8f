### ऐप के सभी पाठ हिन्दी में। नया संदेश कैसे जोड़ा जाता है, यह en.ftl में लिखा है।
### ऐप «आप» कहता है, और चैट, जवाब, मॉडल और प्रॉम्प्ट की बात करता है।

## The composer

message = संदेश
placeholder-home = कुछ भी पूछें
placeholder-chat = जवाब लिखें
send = भेजें
stop = रोकें
sources = स्रोत
attach = संलग्न करें
web = वेब
web-not-here = इस सर्वर में कोई सर्च इंजन नहीं है। गाइड बताती है कि उसे कैसे जोड़ें।
web-about = हर उत्तर के लिए वेब पर खोजें
sending = भेजा जा रहा है…
cancel = रद्द करें
save = सहेजें
queue = कतार
next = अगला:
then = उसके बाद:
kept-for-later = नेटवर्क लौटने पर भेजा जाएगा
message-too-long = यह संदेश { $size } ज़्यादा लंबा है। सीमा 1 MiB है; इसे छोटा करें या बाँटें।
near-limit = इस संदेश में { $size } है, जबकि सीमा 1 MiB है। इसे छोटा करें या बाँटें।
near-context = यह लगभग { $tokens } है; मॉडल एक बार में { $context } पढ़ता है, पिछले संदेशों को छोड़कर। इसे छोटा करें, या ज़्यादा पढ़ने वाला मॉडल चुनें।
size-bytes = { NUMBER($count) } बाइट
size-kib = { NUMBER($count) } KiB
size-mib = { NUMBER($count) } MiB
editing-branch = आप एक संदेश बदल रहे हैं: वह फिर से पूछा जाएगा, और पुराना बना रहेगा।
editing-queued = आप एक प्रतीक्षारत संदेश बदल रहे हैं।
dictate = बोलकर लिखें
dictate-about = बोलकर लिखें। आपका ब्राउज़र आपकी बात लिखता है, और इसके लिए अपने निर्माता की सेवा का उपयोग कर सकता है।
listening = सुन रहा है…
dictation-failed = ब्राउज़र सुन नहीं पा रहा। उसे माइक्रोफ़ोन की अनुमति दें और फिर कोशिश करें।
drop-here = फ़ाइलें यहाँ छोड़ें

## Attachments

attachments = संलग्न फ़ाइलें
open-named = { $name } खोलें
remove-named = { $name } हटाएँ
retry-named = { $name }: फिर कोशिश करें
reading-file = पढ़ी जा रही है…
pages =
    { $count ->
        [one] { NUMBER($count) } पृष्ठ
       *[other] { NUMBER($count) } पृष्ठ
    }
waits-for-files = फ़ाइलें पहुँचते ही भेजा जाएगा
attachments-stuck = जो संलग्न है, वह सब साथ नहीं जा सकता। उसे हटाएँ या फिर कोशिश करें, और तब भेजें।
attachments-full = एक संदेश के साथ ज़्यादा से ज़्यादा { NUMBER($count) } फ़ाइलें जा सकती हैं।
attach-no-more = प्रतीक्षारत संदेश में और फ़ाइलें नहीं जुड़ सकतीं। उसे हटाएँ और फ़ाइलों के साथ फिर से भेजें।
attached-already = “{ $name }” पहले से संलग्न है।
file-attached = “{ $name }” संलग्न है।
told-of = “{ $name }”: { $reason }
deleted-file = हटाई गई फ़ाइल
file-unsent = भेजी नहीं जा सकी।
file-too-large = यह सर्वर इतनी बड़ी फ़ाइल नहीं लेता।
files-full = आपकी फ़ाइलों ने यहाँ की आपकी सारी जगह भर दी है। उनमें से कुछ हटाएँ।
file-empty = इस फ़ाइल में कोई टेक्स्ट नहीं है।
file-unpacks = यह फ़ाइल बहुत बड़ी है, या खुलने पर बहुत बड़ी हो जाती है। इसका छोटा हिस्सा भेजें।
file-encrypted = यह फ़ाइल पासवर्ड से बंद है। इसे बिना पासवर्ड के सहेजें और फिर भेजें।
file-scanned = इस फ़ाइल में टेक्स्ट की केवल तस्वीरें हैं। इस पर टेक्स्ट पहचान (OCR) चलाएँ और फिर भेजें।
file-unsupported = इस तरह की फ़ाइलें पढ़ी नहीं जा सकतीं। इसे PDF, Office, टेक्स्ट या HTML के रूप में सहेजें।
file-damaged = यह फ़ाइल ख़राब या अधूरी है। इसे खोलकर नए सिरे से सहेजने की कोशिश करें।
file-too-much-text = इस फ़ाइल में इतना टेक्स्ट है कि पढ़ा नहीं जा सकता। इसका छोटा हिस्सा भेजें।
file-out-of-time = इस फ़ाइल को पढ़ने में बहुत समय लगा। इसका छोटा हिस्सा भेजें।
file-out-of-memory = इस फ़ाइल को पढ़ने के लिए बहुत मेमोरी चाहिए। इसका छोटा हिस्सा भेजें।
file-unreadable = सर्वर यह फ़ाइल नहीं पढ़ सका। इसे हटाएँ और फिर से संलग्न करें।

## Files and collections

your-files = आपकी फ़ाइलें
your-files-also = दस्तावेज़ संग्रह
search-files = फ़ाइलें खोजें या वेब पता चिपकाएँ
files = फ़ाइलें
collections = संग्रह
web-pages = वेब पेज
pages-in =
    { $count ->
        [one] { NUMBER($count) } वेब पेज
       *[other] { NUMBER($count) } वेब पेज
    }
files-in =
    { $count ->
        [one] { NUMBER($count) } फ़ाइल
       *[other] { NUMBER($count) } फ़ाइलें
    }
files-used = { $quota } में से { $used } भरा है
no-files = अभी यहाँ कुछ नहीं है। संदेशों के साथ जो जोड़ेंगे, वह यहाँ रहेगा।
no-file-found = इस नाम की कोई फ़ाइल नहीं है।
add = जोड़ें
add-named = { $name } संदेश में जोड़ें
add-to-message = संदेश में जोड़ें
new-collection = नया संग्रह…
collection-name = संग्रह का नाम
rename-named = { $name } का नाम बदलें
delete-more = मिटाएँ…
delete-files =
    { $count ->
        [one] { NUMBER($count) } फ़ाइल हमेशा के लिए मिटाएँ? जवाबों ने इससे जो उद्धृत किया है, वह उनमें बना रहेगा।
       *[other] { NUMBER($count) } फ़ाइलें हमेशा के लिए मिटाएँ? जवाबों ने इनसे जो उद्धृत किया है, वह उनमें बना रहेगा।
    }
delete-collection = संग्रह “{ $name }” मिटाएँ? उसकी फ़ाइलें बनी रहेंगी।

## Home

ask = आप क्या जानना चाहेंगे?
suggestions = सुझाव
first-question-abilities = आप क्या कर सकते हैं?
first-question-model = मॉडल कैसे जोड़ूँ?
first-question-data = मेरा डेटा कहाँ रहता है?

## The model picker

model-button = मॉडल: { $name }
models = मॉडल
search-models = मॉडल खोजें
find-model = मॉडल खोजें
best = सबसे अच्छा (अपने-आप)
best-short = सबसे अच्छा
best-description = सवाल के लिए उपयुक्त मॉडल चुनता है।
no-model-found = इस नाम का कोई मॉडल नहीं है।
model-missing = { $name } (उपलब्ध नहीं)
model-missing-note = { $name } अभी उपलब्ध नहीं है। अगर यह वापस न आए, तो इसकी जगह { $other } जवाब देगा।
choice-not-saved = मॉडल का आपका चुनाव सहेजा नहीं गया। { $reason }
other-provider = अन्य
token-count =
    { $count ->
        [one] { NUMBER($count) } टोकन
       *[other] { NUMBER($count) } टोकन
    }
thousand-tokens = { NUMBER($count) }k टोकन
million-tokens = { NUMBER($count) }M टोकन
thousands = { NUMBER($count) }k

## Messages and answers

transcript = बातचीत
answers = जवाब, पढ़कर सुनाए गए
you = आप
assistant = जवाब
regenerate = फिर से जवाब दें
remove = हटाएँ
seam = रुकावट के बाद जवाब यहाँ से आगे बढ़ा
edit = बदलें
go-on = जारी रखें
retry = फिर कोशिश करें
change-model = मॉडल बदलें
another-model = दूसरे मॉडल से पूछें
side-by-side = साथ-साथ
two-answers = दो जवाब
answers-of = दिखाया जाने वाला जवाब
use-this = इसे चुनें
use-named = इसे चुनें: { $model }
stop-named = { $model } को रोकें
latest = अंत तक जाएँ
earlier = पुराने संदेश दिखाएँ
previous = पिछला संस्करण
following = अगला संस्करण
queued = पिछले जवाब की प्रतीक्षा में
thinking-now = सोच रहा है…
stopped = रोका गया
interrupted = बीच में टूट गया
failed = कोई जवाब नहीं
reasoning = तर्क
reasoned-for = { $time } तक सोचा
tool-used = { $name } का उपयोग किया
tool-running = { $name } का उपयोग हो रहा है…
tool-failed = { $name } विफल रहा
tool-asked = { $name } का अनुरोध किया
tool-arguments = आर्ग्युमेंट
tool-output = परिणाम
tool-error = त्रुटि
tool-cut = बाकी हिस्सा रखने के लिए बहुत लंबा था।
cut-at-length = मॉडल अपनी लंबाई की सीमा तक पहुँच गया। आगे पढ़ने के लिए जारी रखें।
cut-by-filter = प्रदाता के सामग्री फ़िल्टर ने यह जवाब समाप्त कर दिया।
interrupted-reason = जवाब पूरा होने से पहले टूट गया।
source = स्रोत { NUMBER($index) }
page = पृष्ठ { NUMBER($number) }
slide = स्लाइड { NUMBER($number) }
sheet = शीट { NUMBER($number) }
part = भाग { NUMBER($number) }
from-guide = Unbroken की गाइड से
from-file = आपकी फ़ाइल से
download = डाउनलोड करें
earlier-text = इससे पहले का पाठ दिखाएँ
later-text = इसके बाद का पाठ दिखाएँ
opening = खुल रहा है…
file-not-read = यह फ़ाइल अभी पढ़ी जा रही है। थोड़ी देर में इसे फिर खोलें।
file-is-gone = यह फ़ाइल हटा दी गई है। उत्तर ने जो उद्धृत किया, वह बना हुआ है:
given-too =
    { $count ->
        [one] मॉडल को दिया गया, पर उद्धृत नहीं: एक अंश
       *[other] मॉडल को दिए गए, पर उद्धृत नहीं: { NUMBER($count) } अंश
    }

## The stream inspector

details = विवरण
model = मॉडल
first-text = पहले टेक्स्ट तक का समय
tokens = टोकन
speed = टोकन प्रति सेकंड
records = रिकॉर्ड
runs = रन
reconnects = इस पेज के पुनः कनेक्शन
hash = टेक्स्ट का SHA-256
milliseconds = { $time } ms
seconds = { $time } s

## What went wrong, and what a person can do about it

error-bad-request = सर्वर अनुरोध को समझ नहीं पाया। पेज फिर से लोड करें।
error-unauthorized = आपका सत्र समाप्त हो गया है। नया शुरू करने के लिए पेज फिर से लोड करें।
error-forbidden = इस सत्र को इसकी अनुमति नहीं है।
error-not-found = यह चैट मौजूद नहीं है, या आपकी नहीं है।
error-conflict = यह संदेश पहले किसी और पाठ के साथ भेजा जा चुका है।
error-payload-too-large = यह संदेश बहुत लंबा है। इसे छोटा करें या बाँटें।
error-rate-limited = बहुत ज़्यादा अनुरोध। थोड़ा रुककर फिर कोशिश करें।
error-quota-exceeded = आपका कोटा समाप्त हो गया है।
error-conversation-busy = यहाँ पहले से दस संदेश प्रतीक्षा में हैं। पहले कुछ का जवाब आने दें।
error-model-unavailable = इस मॉडल तक पहुँचा नहीं जा सकता। फिर कोशिश करें या दूसरा चुनें।
error-context-length-exceeded = चैट इस मॉडल के लिए बहुत लंबी है। दूसरा मॉडल चुनें या नई चैट शुरू करें।
error-content-filtered = प्रदाता इसका जवाब देने से मना करता है। इसे दूसरे शब्दों में लिखें।
error-provider-auth = प्रदाता सर्वर की कुंजी को स्वीकार नहीं करता। उसे जाँचें।
error-provider-rate-limited = प्रदाता को बहुत ज़्यादा अनुरोध मिल रहे हैं। बाद में फिर कोशिश करें।
error-provider-overloaded = प्रदाता पर बहुत ज़्यादा भार है। बाद में फिर कोशिश करें।
error-provider-timeout = प्रदाता ने समय पर जवाब नहीं दिया। फिर कोशिश करें।
error-provider-error = प्रदाता में गड़बड़ी हुई। फिर कोशिश करें।
error-provider-truncated = प्रदाता ने जवाब बीच में समाप्त कर दिया। फिर कोशिश करें।
error-owner-lost = जवाब देते समय सर्वर फिर से शुरू हुआ।
error-storage-unavailable = सर्वर अभी कुछ सहेज नहीं सकता। फिर कोशिश करें।
error-draining = सर्वर फिर से शुरू होने वाला है। थोड़ी देर में फिर कोशिश करें।
error-internal = सर्वर पर कुछ गड़बड़ हुई। फिर कोशिश करें।
unreachable = सर्वर तक पहुँचा नहीं जा सकता। आपका संदेश सुरक्षित है; नेटवर्क लौटने पर फिर कोशिश करें।
part-missing = ऐप का यह हिस्सा लोड नहीं हो सका। शायद नेटवर्क बंद है।
try-again = फिर कोशिश करें

## Markdown

copy = कॉपी करें
copied = कॉपी हो गया
wrap = लाइन मोड़ें
show-source = सोर्स दिखाएँ
show-diagram = डायग्राम दिखाएँ
diagram-of = डायग्राम: { $kind }
diagram-too-slow = इस डायग्राम को बनाने में बहुत समय लगा। यह इसका सोर्स है।
code = कोड
table = तालिका
copy-csv = CSV के रूप में कॉपी करें
formula = सूत्र
formula-as-written = यह सूत्र वैसा ही दिखाया गया है जैसा लिखा गया था
image = चित्र
task = कार्य
footnote = फ़ुटनोट { NUMBER($number) }
back-to-reference = संदर्भ { NUMBER($number) } पर वापस

## The connection

connection = कनेक्शन
reconnecting = फिर से कनेक्ट हो रहा है…
offline = ऑफ़लाइन
gate-title = यह सर्वर एक्सेस कोड माँगता है
gate-about = इसे चलाने वाला व्यक्ति आपको बता सकता है। यह डिवाइस याद रखेगा कि आपको प्रवेश मिला है।
access-code = एक्सेस कोड
open = खोलें
down-title = सर्वर जवाब नहीं दे रहा

## The list of conversations

conversations = चैट
new-chat = नई चैट
no-conversations = यहाँ अभी कुछ नहीं है
untitled = नई चैट
running = जवाब आ रहा है
load-more = और लोड करें
rename = नाम बदलें
delete = हटाएँ
pinned = पिन की हुई
pin = पिन करें
unpin = पिन हटाएँ
archive = संग्रहित करें
unarchive = संग्रह से निकालें
move-to-folder = फ़ोल्डर में ले जाएँ…
more-about = और: { $title }
deleted = हटाया गया।
undo = पूर्ववत करें
not-restored = यह चैट वापस नहीं लाई जा सकी।
today = आज
yesterday = कल
previous-7-days = पिछले 7 दिन
previous-30-days = पिछले 30 दिन
folder = फ़ोल्डर
folder-title = फ़ोल्डर में ले जाएँ
folder-about = कोई फ़ोल्डर चुनें, या नए का नाम लिखें।
no-folder = कोई फ़ोल्डर नहीं
new-folder = नया फ़ोल्डर
move-there = ले जाएँ

## History

history = इतिहास
show = दिखाएँ
archived = संग्रह
no-archived = कुछ भी संग्रहित नहीं है। आप जो संग्रहित करते हैं, वह साइडबार से हटकर यहाँ रहता है।

## The search

search = खोजें
search-conversations = चैट में खोजें
search-hint = कोई शब्द लिखें, या उद्धरण चिह्नों में वाक्यांश। शीर्षकों और संदेशों में खोजा जाता है।
search-failed = खोज नहीं हो सकी। फिर कोशिश करें।
searching = खोज जारी है…
nothing-found = “{ $query }” किसी संदेश में नहीं है।

## Temporary chats

temporary = अस्थायी
temporary-about = यह चैट किसी सूची या खोज में नहीं आती, और आख़िरी संदेश के एक दिन बाद मिटा दी जाती है।

## The frame of the page

home-link = Unbroken, होम
close = बंद करें
collapse-sidebar = साइडबार समेटें
expand-sidebar = साइडबार फैलाएँ
open-sidebar = साइडबार खोलें
close-sidebar = साइडबार बंद करें
nothing-here = इस पते पर कुछ नहीं है।
begin = नई चैट शुरू करें।

## The command palette, and the actions in it

commands = कमांड
palette = कमांड पैलेट
palette-field = कोई क्रिया, मॉडल या चैट खोजें
palette-placeholder = कुछ भी खोजें
palette-nothing = इन शब्दों से कुछ नहीं मिला।
results = परिणाम
actions = क्रियाएँ
in-messages = संदेशों में मिला
shortcuts = कीबोर्ड शॉर्टकट
shortcuts-about = एक कुंजी वाले शॉर्टकट तब काम करते हैं जब आप लिख नहीं रहे होते।
key-control = Ctrl
shortcuts-also = कुंजियाँ मदद
new-chat-also = शुरू बातचीत
temporary-chat = नई अस्थायी चैट
temporary-chat-also = निजी गुप्त
search-also = ढूँढें संदेश
rename-this = इस चैट का नाम बदलें
rename-also = शीर्षक
pin-this = इस चैट को पिन करें
pin-also = रखें पसंदीदा
unpin-this = इस चैट का पिन हटाएँ
archive-this = इस चैट को संग्रहित करें
archive-also = अलग रखें
delete-this = इस चैट को हटाएँ
delete-also = मिटाएँ
share-this = इस चैट को शेयर करें
share-also = लिंक प्रकाशित
export-this = इस चैट को एक्सपोर्ट करें
export-also = डाउनलोड सहेजें markdown html json
export-all = सब कुछ एक्सपोर्ट करें
export-all-also = डाउनलोड सहेजें बैकअप डेटा
import-chats = चैट इम्पोर्ट करें
import-also = अपलोड लाएँ chatgpt claude डेटा
links = शेयर किए गए लिंक
links-also = वापस लें शेयर डेटा
go-history = इतिहास पर जाएँ
history-also = चैट सभी सूची
write = संदेश लिखें
write-also = लिखने की जगह
send-message = संदेश भेजें
break-line = नई लाइन शुरू करें
edit-last = आख़िरी संदेश बदलें
edit-last-also = सवाल संपादित
copy-last = आख़िरी जवाब कॉपी करें
copy-last-also = क्लिपबोर्ड
regenerate-last = आख़िरी सवाल का फिर से जवाब दें
regenerate-also = दोबारा जवाब
stop-answer = जवाब रोकें
stop-also = रद्द समाप्त
choose-model = मॉडल चुनें
choose-model-also = चयन बदलें
light-appearance = रूप: हल्का
light-also = थीम दिन
dark-appearance = रूप: गहरा
dark-also = थीम रात
system-appearance = रूप: सिस्टम जैसा
system-also = थीम अपने-आप
fold-sidebar = साइडबार समेटें या फैलाएँ
fold-sidebar-also = छिपाएँ दिखाएँ
ask-guide = गाइड खोलें
guide-also = मदद दस्तावेज़ quotes
settings-also = विकल्प पसंद
prompts-also = टेम्पलेट लाइब्रेरी
instructions-also = सिस्टम प्रॉम्प्ट
answer-copied = जवाब क्लिपबोर्ड पर है।
not-copied = ब्राउज़र इस पेज को क्लिपबोर्ड का उपयोग नहीं करने देता।

## Conversations that come in and go out

share-or-export = शेयर या एक्सपोर्ट करें
export-menu = एक्सपोर्ट करें…
export = एक्सपोर्ट करें
export-all-about = आपकी सभी चैट, एक ही फ़ाइल में।
export-failed = फ़ाइल पूरी नहीं पहुँची। नेटवर्क लौटने पर फिर कोशिश करें।
preparing = फ़ाइल तैयार हो रही है…
formats = फ़ॉर्मैट
json-about = जो कुछ है, दूसरी शाखाएँ भी। फिर से इम्पोर्ट किया जा सकता है।
markdown-about = पढ़ने और बदलने के लिए टेक्स्ट: जो आप अभी देख रहे हैं।
markdown-all-about = एक ZIP, जिसमें हर चैट का एक टेक्स्ट है।
html-about = पढ़ने और प्रिंट करने के लिए पेज: जो आप अभी देख रहे हैं।
html-all-about = एक ZIP, जिसमें हर चैट का एक पेज है।
export-as = { $format } के रूप में एक्सपोर्ट करें
choose-file = फ़ाइल चुनें…
or-drop = या यहाँ छोड़ें
import-about = ChatGPT, Claude, Open WebUI, LibreChat या Unbroken का एक्सपोर्ट, JSON या ZIP के रूप में। जो यहाँ पहले से है वह नहीं बदलता, और कुछ भी दो बार नहीं आता।
one-file = कृपया एक बार में एक फ़ाइल। कई फ़ाइलें एक ZIP में रखी जा सकती हैं।
imports = इम्पोर्ट
sending-file = { $name } भेजी जा रही है
sent = अब तक भेजा गया
sent-of = { $bytes } में से { $sent }
megabytes = { $number } MB
not-sent = “{ $name }” भेजी नहीं जा सकी। नेटवर्क लौटने पर फिर कोशिश करें। 1 GiB से बड़ी फ़ाइल को बाँटना होगा।
import-waiting = अपनी बारी की प्रतीक्षा में
import-counting = चैट गिनी जा रही हैं
import-running = इम्पोर्ट हो रहा है
import-done = इम्पोर्ट हो गया
import-failed = इम्पोर्ट नहीं हुआ
imported-so-far = अब तक इम्पोर्ट हुआ
import-goes-on = आप इसे बंद कर सकते हैं, पेज फिर से लोड कर सकते हैं या जा सकते हैं: सर्वर अपने-आप काम जारी रखता है।
import-progress =
    { $total ->
        [one] { NUMBER($total) } चैट
       *[other] { NUMBER($total) } चैट
    } में से { NUMBER($done) } देखी गईं: { $conversations ->
        [one] { NUMBER($conversations) } चैट
       *[other] { NUMBER($conversations) } चैट
    } और { $messages ->
        [one] { NUMBER($messages) } संदेश
       *[other] { NUMBER($messages) } संदेश
    } आए
import-nothing-new = कुछ नया नहीं।
import-came-in =
    { $conversations ->
        [one] { NUMBER($conversations) } चैट
       *[other] { NUMBER($conversations) } चैट
    } और { $messages ->
        [one] { NUMBER($messages) } संदेश
       *[other] { NUMBER($messages) } संदेश
    } आए।
import-came-into =
    { $messages ->
        [one] { NUMBER($messages) } संदेश पहले से मौजूद चैट में आया।
       *[other] { NUMBER($messages) } संदेश पहले से मौजूद चैट में आए।
    }
import-unchanged =
    { $count ->
        [one] { NUMBER($count) } चैट यहाँ पहले से थी, बिना बदलाव के।
       *[other] { NUMBER($count) } चैट यहाँ पहले से थीं, बिना बदलाव के।
    }
import-is-done = इम्पोर्ट पूरा हुआ। { $result }
import-has-failed = इम्पोर्ट नहीं हो सका। { $reason }
fault-not-json = यह फ़ाइल न JSON है, न ही ऐसी ZIP जिसमें JSON हो।
fault-cut-off = फ़ाइल बीच में ही खत्म हो जाती है। इसे फिर से डाउनलोड करें।
fault-damaged-zip = ZIP खराब है। इसे फिर से डाउनलोड करें।
fault-too-much = ZIP में उससे ज़्यादा है जितना यह सर्वर खोलता है।
fault-unreadable = सर्वर अपनी सहेजी हुई फ़ाइल नहीं पढ़ पा रहा है। बाद में फिर कोशिश करें।
not-imported = गड़बड़ी से पहले जो आया, वह बना रहेगा। फ़ाइल को ठीक करें, या वहाँ से फिर एक्सपोर्ट करें, और उसे दोबारा चुनें: कुछ भी दो बार नहीं आता।
import-notes = जो पहले जैसा नहीं आया
note-image =
    { $count ->
        [one] { NUMBER($count) } चित्र
       *[other] { NUMBER($count) } चित्र
    }: उसकी जगह कोष्ठक में एक पंक्ति है।
note-file =
    { $count ->
        [one] { NUMBER($count) } फ़ाइल
       *[other] { NUMBER($count) } फ़ाइलें
    }: उसकी जगह कोष्ठक में एक पंक्ति है।
note-audio =
    { $count ->
        [one] { NUMBER($count) } रिकॉर्डिंग
       *[other] { NUMBER($count) } रिकॉर्डिंग
    }: उसकी जगह कोष्ठक में एक पंक्ति है।
note-tool =
    { $count ->
        [one] { NUMBER($count) } टूल का उपयोग
       *[other] { NUMBER($count) } टूल के उपयोग
    }: टेक्स्ट के रूप में रखे गए, या छोड़ दिए गए।
note-system =
    { $count ->
        [one] { NUMBER($count) } छिपा निर्देश: छोड़ दिया गया।
       *[other] { NUMBER($count) } छिपे निर्देश: छोड़ दिए गए।
    }
note-empty =
    { $count ->
        [one] { NUMBER($count) } खाली चैट: छोड़ दी गई।
       *[other] { NUMBER($count) } खाली चैट: छोड़ दी गईं।
    }
note-unreadable =
    { $count ->
        [one] { NUMBER($count) } टुकड़ा: चैट के रूप में पढ़ा नहीं जा सका, छोड़ दिया गया।
       *[other] { NUMBER($count) } टुकड़े: चैट के रूप में पढ़े नहीं जा सके, छोड़ दिए गए।
    }
note-too-large =
    { $count ->
        [one] { NUMBER($count) } चैट: 64 MiB से बड़ी, छोड़ दी गई।
       *[other] { NUMBER($count) } चैट: 64 MiB से बड़ी, छोड़ दी गईं।
    }
note-shortened =
    { $count ->
        [one] { NUMBER($count) } टेक्स्ट: बहुत लंबा था, छोटा किया गया।
       *[other] { NUMBER($count) } टेक्स्ट: बहुत लंबे थे, छोटे किए गए।
    }
note-changed =
    { $count ->
        [one] { NUMBER($count) } टेक्स्ट वहाँ अब अलग है: यहाँ जैसा था वैसा ही रखा गया।
       *[other] { NUMBER($count) } टेक्स्ट वहाँ अब अलग हैं: यहाँ जैसे थे वैसे ही रखे गए।
    }
note-other =
    { $count ->
        [one] { NUMBER($count) } दूसरी तरह का टुकड़ा
       *[other] { NUMBER($count) } दूसरी तरह के टुकड़े
    }: छोड़े गए, या टेक्स्ट के रूप में रखे गए।
for-example = जैसे
quoted = “{ $title }”
share-menu = शेयर करें…
share = शेयर करें
share-about = जिसके पास लिंक है, वह बिना खाते के इस चैट की अभी की कॉपी पढ़ सकता है। उसमें यह नहीं होता कि आप कौन हैं, और आप बाद में जो लिखें वह भी नहीं।
keep-link = चैट हटाने पर भी लिंक रखें
keep-link-about = नहीं तो वह चैट के साथ हट जाता है। आप उसे कभी भी वापस ले सकते हैं।
create-link = लिंक बनाएँ
copy-link = लिंक कॉपी करें
revoke = वापस लें
links-here = इस चैट के लिंक
links-about = जिसके पास इनमें से कोई है, वह चैट को उस समय के रूप में पढ़ता है।
no-links = आप कुछ भी शेयर नहीं कर रहे हैं।
link-stays = चैट हटाने पर भी रहता है
delete-all = सब कुछ हटाएँ
delete-all-menu = सब कुछ हटाएँ…
delete-all-title = सब कुछ हटाएँ?
delete-all-about = हमेशा के लिए, और आपके सभी डिवाइस पर।
delete-all-goes = क्या हट जाएगा
all-conversations-go = सभी चैट, संग्रहित, अस्थायी और फ़ोल्डरों की भी
all-answers-go = जो जवाब अभी लिखे जा रहे हैं: वे रोक दिए जाएँगे
all-files-go = आपकी फ़ाइलें और संग्रह
all-links-go = आपके शेयर किए गए सभी लिंक, वे भी जो रहने वाले थे
all-imports-go = इम्पोर्ट: जो चल रहे हैं, और उनकी रिपोर्ट
all-drafts-go = इस ब्राउज़र में: चैट के ड्राफ़्ट, और ऑफ़लाइन पढ़ने की कॉपियाँ
delete-all-stays = क्या बना रहेगा
all-prompts-stay = आपके प्रॉम्प्ट और आपका डिफ़ॉल्ट मॉडल
all-choices-stay = इस ब्राउज़र में रूप, भाषा और निर्देश
delete-all-words = सब कुछ हटा दें
delete-all-type = पुष्टि के लिए “{ $words }” या “delete everything” लिखें
everything-deleted =
    सब कुछ हटा दिया गया: { $count ->
        [one] { NUMBER($count) } चैट
       *[other] { NUMBER($count) } चैट
    }।

## Prompts

prompts = प्रॉम्प्ट
no-prompts = जो टेक्स्ट आप अक्सर पूछते हैं, उसे यहाँ रखें
manage-prompts = प्रॉम्प्ट…
manage-prompts-about = बनाएँ, बदलें या हटाएँ
prompts-about = वे टेक्स्ट जो आप अक्सर पूछते हैं। किसी का उपयोग करने के लिए संदेश की शुरुआत में / लिखें, अपने किसी भी डिवाइस पर।
new-prompt = नया प्रॉम्प्ट
prompt-name = नाम
prompt-text = टेक्स्ट
prompt-example = {"{{"}टेक्स्ट{"}}"} का सार तीन वाक्यों में लिखें।
variables-about = जो बदलता है, उसके लिए {"{{"}नाम{"}}"} लिखें। उपयोग करते समय Tab एक से अगले पर ले जाता है।
asks-for = हर बार बदलता है: { $names }।
delete-named = { $name } हटाएँ
delete-prompt = प्रॉम्प्ट “{ $name }” हटाएँ?
edit-named = { $name } बदलें

## A server without a model

no-model-title = इस सर्वर पर अभी कोई भाषा मॉडल नहीं है
no-model-found-yet = यह हर आधे मिनट में अपनी ही मशीन पर Ollama, llama.cpp, LM Studio और vLLM को खोजता है और कोई नहीं मिला। कोई एक शुरू करें, और यह सूचना अपने-आप हट जाएगी।
try-guide = इसके बजाय गाइड से पूछें
add-model = मॉडल जोड़ें
add-model-about = दूसरे पोर्ट या दूसरी मशीन का मॉडल सर्वर डेटा फ़ोल्डर की unbroken.toml में लिखा जाता है। बदलाव के बाद Unbroken को फिर से शुरू करें।
ollama-about = इस मशीन के पोर्ट 11434 पर अपने-आप मिल जाता है। कहीं और हो तो पता बदलें:
llama-cpp-about = इस मशीन के पोर्ट 8080 पर अपने-आप मिल जाता है। कहीं और हो तो पता बदलें:
openai-compatible = कोई भी OpenAI-संगत सेवा
openai-compatible-about = कुंजी बताए गए एनवायरनमेंट वेरिएबल से आती है और सर्वर पर ही रहती है:
lines-for = { $name } के लिए पंक्तियाँ
copy-lines-for = { $name } के लिए पंक्तियाँ कॉपी करें

## The settings

settings = सेटिंग
settings-sections = अनुभाग
all-settings = सभी सेटिंग
appearance = रूप
light = हल्का
dark = गहरा
system = सिस्टम
language = भाषा
language-of-browser = ब्राउज़र के अनुसार
model-and-instructions = मॉडल और निर्देश
default-model = डिफ़ॉल्ट मॉडल
default-model-about = आपके सभी डिवाइस पर आपके हर सवाल का जवाब देता है, जब तक आप दूसरा न चुनें।
instructions = हर जवाब के लिए निर्देश
instructions-example = संक्षेप में जवाब दें। मैं Rust लिखता हूँ और मैड्रिड में रहता हूँ।
instructions-about = हर नए संदेश के साथ मॉडल को सिस्टम प्रॉम्प्ट के रूप में भेजा जाता है। केवल इस डिवाइस पर रखा जाता है।
reading-aloud = स्क्रीन रीडर
announce = स्क्रीन रीडर जवाब सुनाता है
announce-sentences = वाक्य-दर-वाक्य
announce-end = अंत में
announce-off = कभी नहीं
notifications = सूचनाएँ
notify = लंबा जवाब पूरा होने पर सूचित करें
notify-blocked = यह ब्राउज़र यहाँ से सूचनाओं की अनुमति नहीं देता। आप इस साइट की उसकी सेटिंग में अनुमति दे सकते हैं।
on = चालू
off = बंद
answer-ready = जवाब तैयार है।
data = डेटा
data-where = चैट, प्रॉम्प्ट और आपका डिफ़ॉल्ट मॉडल उसी सर्वर पर रहते हैं जिससे आपने यह पेज खोला, और कहीं नहीं।
data-device = ड्राफ़्ट, रूप, भाषा और निर्देश इसी ब्राउज़र में रहते हैं।
about = परिचय
about-text = जवाब एक लॉग है, कनेक्शन नहीं: पेज फिर से लोड होने, नेटवर्क टूटने या सर्वर के फिर से शुरू होने पर न कोई शब्द खोता है, न दोहराता है। सब कुछ उसी सर्वर पर रहता है जिससे आपने यह पेज खोला।
about-guide = गाइड ऐप के अंदर है: “quotes” मॉडल उससे अंग्रेज़ी में, अंशों के साथ जवाब देता है।
