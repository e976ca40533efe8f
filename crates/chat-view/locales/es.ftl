### Todos los textos de la aplicación en español. En en.ftl se explica cómo se añade un mensaje.
### La aplicación tutea y habla de chats, respuestas, modelos y prompts.

## The composer

message = Mensaje
placeholder-home = Pregunta lo que quieras
placeholder-chat = Responder
send = Enviar
stop = Detener
sources = Fuentes
attach = Adjuntar
web = Web
web-not-here = Este servidor no tiene buscador. La guía explica cómo añadir uno.
web-about = Buscar en la web para cada respuesta
sending = Enviando…
cancel = Cancelar
save = Guardar
queue = Cola
next = A continuación:
then = Después:
kept-for-later = Se enviará cuando vuelva la red
message-too-long = Este mensaje se pasa en { $size }. El límite es de 1 MiB; acórtalo o divídelo.
near-limit = Este mensaje tiene { $size } de un máximo de 1 MiB. Acórtalo o divídelo.
near-context = Son unos { $tokens } de los { $context } que el modelo lee de una vez, sin contar los mensajes anteriores. Acorta el texto o elige un modelo que lea más.
size-bytes = { NUMBER($count) } bytes
size-kib = { NUMBER($count) } KiB
size-mib = { NUMBER($count) } MiB
editing-branch = Estás editando un mensaje: se preguntará de nuevo y el anterior se conserva.
editing-queued = Estás editando un mensaje en espera.
dictate = Dictar
dictate-about = Dictar. Tu navegador escribe lo que dices y puede usar para ello un servicio de su fabricante.
listening = Escuchando…
dictation-failed = El navegador no puede escuchar. Permítele usar el micrófono e inténtalo de nuevo.
drop-here = Suelta aquí los archivos

## Attachments

attachments = Adjuntos
open-named = Abrir { $name }
remove-named = Quitar { $name }
retry-named = Reintentar { $name }
reading-file = Leyendo…
pages =
    { $count ->
        [one] { NUMBER($count) } página
       *[other] { NUMBER($count) } páginas
    }
waits-for-files = Se enviará cuando los archivos hayan llegado
attachments-stuck = No todo lo adjunto puede ir con el mensaje. Quítalo o vuelve a intentarlo, y luego envía.
attachments-full = Un mensaje lleva como máximo { NUMBER($count) } adjuntos.
attach-no-more = Un mensaje en espera no admite más archivos. Quítalo y envíalo de nuevo con ellos.
attached-already = «{ $name }» ya está adjunto.
file-attached = «{ $name }» está adjunto.
told-of = «{ $name }»: { $reason }
deleted-file = Archivo eliminado
file-unsent = No se ha podido enviar.
file-too-large = Es más grande de lo que admite este servidor.
files-full = Tus archivos ocupan todo el espacio que tienes aquí. Elimina algunos.
file-empty = No hay texto en este archivo.
file-unpacks = Este archivo es demasiado grande, o lo es al descomprimirse. Envía una parte más pequeña.
file-encrypted = Este archivo está protegido con contraseña. Guárdalo sin ella y envíalo de nuevo.
file-scanned = Este archivo solo contiene imágenes de texto. Pásale un reconocimiento de texto (OCR) y envíalo de nuevo.
file-unsupported = Los archivos de este tipo no se pueden leer. Guárdalo como PDF, Office, texto o HTML.
file-damaged = Este archivo está dañado o incompleto. Prueba a abrirlo y guardarlo de nuevo.
file-too-much-text = Este archivo contiene más texto del que se puede leer. Envía una parte más pequeña.
file-out-of-time = Leer este archivo ha tardado demasiado. Envía una parte más pequeña.
file-out-of-memory = Leer este archivo requiere demasiada memoria. Envía una parte más pequeña.
file-unreadable = El servidor no ha podido leer este archivo. Quítalo y adjúntalo de nuevo.

## Files and collections

your-files = Tus archivos
your-files-also = adjuntos documentos colecciones biblioteca
search-files = Busca archivos o pega una dirección web
files = Archivos
collections = Colecciones
web-pages = Páginas web
pages-in =
    { $count ->
        [one] { NUMBER($count) } página web
       *[other] { NUMBER($count) } páginas web
    }
files-in =
    { $count ->
        [one] { NUMBER($count) } archivo
       *[other] { NUMBER($count) } archivos
    }
files-used = { $used } de { $quota } en uso
no-files = Todavía no hay nada. Lo que adjuntas a los mensajes se guarda aquí.
no-file-found = Ningún archivo se llama así.
add = Añadir
add-named = Añadir { $name } al mensaje
add-to-message = Añadir al mensaje
new-collection = Nueva colección…
collection-name = Nombre de la colección
rename-named = Cambiar el nombre de { $name }
delete-more = Eliminar…
delete-files =
    { $count ->
        [one] ¿Eliminar { NUMBER($count) } archivo para siempre? Lo que las respuestas citaron de él permanece en ellas.
       *[other] ¿Eliminar { NUMBER($count) } archivos para siempre? Lo que las respuestas citaron de ellos permanece en ellas.
    }
delete-collection = ¿Eliminar la colección «{ $name }»? Sus archivos se conservan.

## Home

ask = ¿Qué te gustaría saber?
suggestions = Sugerencias
first-question-abilities = ¿Qué puedes hacer?
first-question-model = ¿Cómo añado un modelo?
first-question-data = ¿Dónde se guardan mis datos?

## The model picker

model-button = Modelo: { $name }
models = Modelos
search-models = Buscar modelos
find-model = Buscar un modelo
best = El mejor (automático)
best-short = El mejor
best-description = Elige un modelo adecuado para la pregunta.
no-model-found = Ningún modelo se llama así.
model-missing = { $name } (no disponible)
model-missing-note = { $name } no está disponible ahora. Si no vuelve, responderá en su lugar: { $other }.
choice-not-saved = Tu elección de modelo no se ha guardado. { $reason }
other-provider = Otros
token-count =
    { $count ->
        [one] { NUMBER($count) } token
       *[other] { NUMBER($count) } tokens
    }
thousand-tokens = { NUMBER($count) }k tokens
million-tokens = { NUMBER($count) }M tokens
thousands = { NUMBER($count) }k

## Messages and answers

transcript = Conversación
answers = Respuestas, leídas en voz alta
you = Tú
assistant = Respuesta
regenerate = Responder de nuevo
remove = Quitar
seam = La respuesta continuó aquí tras una interrupción
edit = Editar
go-on = Continuar
retry = Reintentar
change-model = Cambiar de modelo
another-model = Preguntar a otro modelo
side-by-side = Una junto a otra
two-answers = Dos respuestas
answers-of = Respuesta que se muestra
use-this = Usar esta
use-named = Usar esta: { $model }
stop-named = Detener { $model }
latest = Ir al final
earlier = Mostrar mensajes anteriores
previous = Versión anterior
following = Versión siguiente
queued = Espera la respuesta anterior
thinking-now = Pensando…
stopped = Detenida
interrupted = Interrumpida
failed = Sin respuesta
reasoning = Razonamiento
reasoned-for = Razonó durante { $time }
tool-used = Usó { $name }
tool-running = Usando { $name }…
tool-failed = { $name } falló
tool-asked = Pidió { $name }
tool-arguments = Argumentos
tool-output = Resultado
tool-error = Error
tool-cut = El resto era demasiado largo para guardarlo.
cut-at-length = El modelo ha llegado a su límite de longitud. Continúa para seguir leyendo.
cut-by-filter = El filtro de contenido del proveedor ha terminado esta respuesta.
interrupted-reason = La respuesta se cortó antes de su final.
source = Fuente { NUMBER($index) }
page = Página { NUMBER($number) }
slide = Diapositiva { NUMBER($number) }
sheet = Hoja { NUMBER($number) }
part = Parte { NUMBER($number) }
from-guide = De la guía de Unbroken
from-file = De tu archivo
download = Descargar
earlier-text = Mostrar lo anterior
later-text = Mostrar lo siguiente
opening = Abriendo…
file-not-read = Este archivo todavía se está leyendo. Vuelve a abrirlo en un momento.
file-is-gone = Este archivo se eliminó. Lo que citó la respuesta se conserva:
given-too =
    { $count ->
        [one] Entregado al modelo y no citado: un pasaje
       *[other] Entregados al modelo y no citados: { NUMBER($count) } pasajes
    }

## The stream inspector

details = Detalles
model = Modelo
first-text = Tiempo hasta el primer texto
tokens = Tokens
speed = Tokens por segundo
records = Registros
runs = Ejecuciones
reconnects = Reconexiones de esta página
hash = SHA-256 del texto
milliseconds = { $time } ms
seconds = { $time } s

## What went wrong, and what a person can do about it

error-bad-request = El servidor no ha entendido la petición. Recarga la página.
error-unauthorized = Tu sesión ha terminado. Recarga la página para empezar otra.
error-forbidden = Esta sesión no puede hacer eso.
error-not-found = Este chat no existe o no es tuyo.
error-conflict = Este mensaje ya se envió con otro texto.
error-payload-too-large = Este mensaje es demasiado largo. Acórtalo o divídelo.
error-rate-limited = Demasiadas peticiones. Espera un momento e inténtalo de nuevo.
error-quota-exceeded = Has agotado tu cuota.
error-conversation-busy = Aquí ya esperan diez mensajes. Deja que se respondan algunos.
error-model-unavailable = No se puede acceder a este modelo. Inténtalo de nuevo o elige otro.
error-context-length-exceeded = El chat es demasiado largo para este modelo. Elige otro o empieza un chat nuevo.
error-content-filtered = El proveedor se niega a responder a esto. Dilo de otra forma.
error-provider-auth = El proveedor rechaza la clave del servidor. Compruébala.
error-provider-rate-limited = El proveedor recibe demasiadas peticiones. Inténtalo más tarde.
error-provider-overloaded = El proveedor está sobrecargado. Inténtalo más tarde.
error-provider-timeout = El proveedor no ha respondido a tiempo. Inténtalo de nuevo.
error-provider-error = El proveedor ha fallado. Inténtalo de nuevo.
error-provider-truncated = El proveedor ha terminado la respuesta a la mitad. Inténtalo de nuevo.
error-owner-lost = El servidor se reinició mientras respondía.
error-storage-unavailable = El servidor no puede guardar nada ahora. Inténtalo de nuevo.
error-draining = El servidor está a punto de reiniciarse. Inténtalo en un momento.
error-internal = Algo ha fallado en el servidor. Inténtalo de nuevo.
unreachable = No se puede acceder al servidor. Tu mensaje se conserva; inténtalo de nuevo cuando vuelva la red.
part-missing = No se ha podido cargar esta parte de la aplicación. Puede que no haya red.
try-again = Intentar de nuevo

## Markdown

copy = Copiar
copied = Copiado
wrap = Ajustar
show-source = Ver código
show-diagram = Ver diagrama
diagram-of = Diagrama: { $kind }
diagram-too-slow = Este diagrama ha tardado demasiado en dibujarse. Este es su código.
code = Código
table = Tabla
copy-csv = Copiar como CSV
formula = Fórmula
formula-as-written = Esta fórmula se muestra tal como se escribió
image = Imagen
task = Tarea
footnote = Nota al pie { NUMBER($number) }
back-to-reference = Volver a la referencia { NUMBER($number) }

## The connection

connection = Conexión
reconnecting = Reconectando…
offline = Sin conexión
gate-title = Este servidor pide un código de acceso
gate-about = Quien lo administra puede dártelo. Este dispositivo recordará que tienes acceso.
access-code = Código de acceso
open = Abrir
down-title = El servidor no responde

## The list of conversations

conversations = Chats
new-chat = Nuevo chat
no-conversations = Todavía no hay nada
untitled = Nuevo chat
running = Respondiendo
load-more = Cargar más
rename = Cambiar nombre
delete = Eliminar
pinned = Fijados
pin = Fijar
unpin = Dejar de fijar
archive = Archivar
unarchive = Desarchivar
move-to-folder = Mover a carpeta…
more-about = Más: { $title }
deleted = Eliminado.
undo = Deshacer
not-restored = No se ha podido recuperar este chat.
today = Hoy
yesterday = Ayer
previous-7-days = Últimos 7 días
previous-30-days = Últimos 30 días
folder = Carpeta
folder-title = Mover a carpeta
folder-about = Elige una carpeta o da nombre a una nueva.
no-folder = Sin carpeta
new-folder = Nueva carpeta
move-there = Mover

## History

history = Historial
show = Mostrar
archived = Archivo
no-archived = No hay nada archivado. Lo que archivas sale de la barra lateral y se queda aquí.

## The search

search = Buscar
search-conversations = Buscar en los chats
search-hint = Escribe una palabra, o una frase entre comillas. Se busca en títulos y mensajes.
search-failed = La búsqueda no ha funcionado. Inténtalo de nuevo.
searching = Buscando…
nothing-found = Ningún mensaje contiene «{ $query }».

## Temporary chats

temporary = Temporal
temporary-about = Este chat no aparece en ninguna lista ni búsqueda y se borra un día después de su último mensaje.

## The frame of the page

home-link = Unbroken, inicio
close = Cerrar
collapse-sidebar = Contraer la barra lateral
expand-sidebar = Expandir la barra lateral
open-sidebar = Abrir la barra lateral
close-sidebar = Cerrar la barra lateral
nothing-here = No hay nada en esta dirección.
begin = Empieza un chat nuevo.

## The command palette, and the actions in it

commands = Comandos
palette = Paleta de comandos
palette-field = Busca una acción, un modelo o un chat
palette-placeholder = Buscar cualquier cosa
palette-nothing = Nada coincide con estas palabras.
results = Resultados
actions = Acciones
in-messages = Encontrado en mensajes
shortcuts = Atajos de teclado
shortcuts-about = Los de una sola tecla funcionan mientras no escribes.
key-control = Ctrl
shortcuts-also = teclas ayuda
new-chat-also = empezar iniciar conversación
temporary-chat = Nuevo chat temporal
temporary-chat-also = privado incógnito
search-also = encontrar mensajes
rename-this = Cambiar el nombre de este chat
rename-also = título renombrar
pin-this = Fijar este chat
pin-also = conservar favorito
unpin-this = Dejar de fijar este chat
archive-this = Archivar este chat
archive-also = apartar
delete-this = Eliminar este chat
delete-also = borrar quitar
share-this = Compartir este chat
share-also = enlace publicar
export-this = Exportar este chat
export-also = descargar guardar markdown html json
export-all = Exportar todo
export-all-also = descargar guardar copia de seguridad datos
import-chats = Importar chats
import-also = subir traer chatgpt claude datos
links = Enlaces compartidos
links-also = revocar compartir datos
go-history = Ir al historial
history-also = chats todos lista
write = Escribir un mensaje
write-also = campo de texto
send-message = Enviar el mensaje
break-line = Empezar una línea nueva
edit-last = Editar el último mensaje
edit-last-also = cambiar pregunta
copy-last = Copiar la última respuesta
copy-last-also = portapapeles
regenerate-last = Volver a responder a la última pregunta
regenerate-also = regenerar otra vez respuesta
stop-answer = Detener la respuesta
stop-also = cancelar terminar parar
choose-model = Elegir un modelo
choose-model-also = selector cambiar
light-appearance = Apariencia: clara
light-also = tema claro día
dark-appearance = Apariencia: oscura
dark-also = tema oscuro noche
system-appearance = Apariencia: como el sistema
system-also = tema automático
fold-sidebar = Contraer o expandir la barra lateral
fold-sidebar-also = ocultar mostrar
ask-guide = Abrir la guía
guide-also = ayuda documentación manual quotes
settings-also = preferencias opciones configuración
prompts-also = plantillas biblioteca
instructions-also = prompt del sistema personalizar
answer-copied = La respuesta está en el portapapeles.
not-copied = El navegador no permite que esta página use el portapapeles.

## Conversations that come in and go out

share-or-export = Compartir o exportar
export-menu = Exportar…
export = Exportar
export-all-about = Todos tus chats, en un solo archivo.
export-failed = El archivo no ha llegado entero. Inténtalo de nuevo cuando vuelva la red.
preparing = Preparando el archivo…
formats = Formato
json-about = Todo lo que hay, también las otras ramas. Se puede volver a importar.
markdown-about = Texto para leer y editar: lo que ves ahora.
markdown-all-about = Un ZIP con un texto por cada chat.
html-about = Una página para leer e imprimir: lo que ves ahora.
html-all-about = Un ZIP con una página por cada chat.
export-as = Exportar como { $format }
choose-file = Elegir un archivo…
or-drop = o suéltalo aquí
import-about = Una exportación de ChatGPT, Claude, Open WebUI, LibreChat o Unbroken, en JSON o ZIP. Lo que ya está aquí no cambia, y nada llega dos veces.
one-file = Un archivo cada vez, por favor. Varios caben en un ZIP.
imports = Importaciones
sending-file = Enviando { $name }
sent = Enviado hasta ahora
sent-of = { $sent } de { $bytes }
megabytes = { $number } MB
not-sent = No se ha podido enviar «{ $name }». Inténtalo de nuevo cuando vuelva la red. Un archivo de más de 1 GiB hay que dividirlo.
import-waiting = Espera su turno
import-counting = Contando los chats
import-running = Importando
import-done = Importado
import-failed = No importado
imported-so-far = Importado hasta ahora
import-goes-on = Puedes cerrar esto, recargar o irte: el servidor sigue solo.
import-progress =
    { NUMBER($done) } de { $total ->
        [one] { NUMBER($total) } chat
       *[other] { NUMBER($total) } chats
    } revisados: han entrado { $conversations ->
        [one] { NUMBER($conversations) } chat
       *[other] { NUMBER($conversations) } chats
    } y { $messages ->
        [one] { NUMBER($messages) } mensaje
       *[other] { NUMBER($messages) } mensajes
    }
import-nothing-new = Nada nuevo.
import-came-in =
    Han entrado { $conversations ->
        [one] { NUMBER($conversations) } chat
       *[other] { NUMBER($conversations) } chats
    } y { $messages ->
        [one] { NUMBER($messages) } mensaje
       *[other] { NUMBER($messages) } mensajes
    }.
import-came-into =
    { $messages ->
        [one] Ha entrado { NUMBER($messages) } mensaje
       *[other] Han entrado { NUMBER($messages) } mensajes
    } en chats que ya estaban aquí.
import-unchanged =
    { $count ->
        [one] { NUMBER($count) } chat ya estaba aquí, sin cambios.
       *[other] { NUMBER($count) } chats ya estaban aquí, sin cambios.
    }
import-is-done = La importación ha terminado. { $result }
import-has-failed = La importación ha fallado. { $reason }
fault-not-json = Este archivo no es JSON ni un ZIP con JSON dentro.
fault-cut-off = El archivo se corta a la mitad. Descárgalo otra vez.
fault-damaged-zip = El ZIP está dañado. Descárgalo otra vez.
fault-too-much = El ZIP contiene más de lo que este servidor descomprime.
fault-unreadable = El servidor no puede leer el archivo que guardó. Inténtalo más tarde.
not-imported = Lo que entró antes del fallo se queda. Corrige el archivo, o vuelve a exportarlo allí, y elígelo de nuevo: nada llega dos veces.
import-notes = Lo que no llegó tal como era
note-image =
    { $count ->
        [one] { NUMBER($count) } imagen
       *[other] { NUMBER($count) } imágenes
    }: en su lugar hay una línea entre corchetes.
note-file =
    { $count ->
        [one] { NUMBER($count) } archivo
       *[other] { NUMBER($count) } archivos
    }: en su lugar hay una línea entre corchetes.
note-audio =
    { $count ->
        [one] { NUMBER($count) } grabación
       *[other] { NUMBER($count) } grabaciones
    }: en su lugar hay una línea entre corchetes.
note-tool =
    { $count ->
        [one] { NUMBER($count) } uso de una herramienta: conservado como texto u omitido.
       *[other] { NUMBER($count) } usos de herramientas: conservados como texto u omitidos.
    }
note-system =
    { $count ->
        [one] { NUMBER($count) } instrucción oculta: omitida.
       *[other] { NUMBER($count) } instrucciones ocultas: omitidas.
    }
note-empty =
    { $count ->
        [one] { NUMBER($count) } chat vacío: omitido.
       *[other] { NUMBER($count) } chats vacíos: omitidos.
    }
note-unreadable =
    { $count ->
        [one] { NUMBER($count) } elemento que no se puede leer como chat: omitido.
       *[other] { NUMBER($count) } elementos que no se pueden leer como chat: omitidos.
    }
note-too-large =
    { $count ->
        [one] { NUMBER($count) } chat de más de 64 MiB: omitido.
       *[other] { NUMBER($count) } chats de más de 64 MiB: omitidos.
    }
note-shortened =
    { $count ->
        [one] { NUMBER($count) } texto demasiado largo: acortado.
       *[other] { NUMBER($count) } textos demasiado largos: acortados.
    }
note-changed =
    { $count ->
        [one] { NUMBER($count) } texto que ahora dice otra cosa allí: se conserva como está aquí.
       *[other] { NUMBER($count) } textos que ahora dicen otra cosa allí: se conservan como están aquí.
    }
note-other =
    { $count ->
        [one] { NUMBER($count) } elemento de otro tipo: omitido o conservado como texto.
       *[other] { NUMBER($count) } elementos de otros tipos: omitidos o conservados como texto.
    }
for-example = En
quoted = «{ $title }»
share-menu = Compartir…
share = Compartir
share-about = Quien tenga el enlace puede leer una copia de este chat tal como está ahora, sin una cuenta. No dice quién eres, y lo que escribas después no aparece en ella.
keep-link = Conservar el enlace cuando elimine el chat
keep-link-about = Si no, desaparece con el chat. Puedes revocarlo en cualquier momento.
create-link = Crear enlace
copy-link = Copiar enlace
revoke = Revocar
links-here = Enlaces a este chat
links-about = Quien tenga uno de estos lee lo que decía el chat entonces.
no-links = No compartes nada.
link-stays = se conserva cuando se elimine el chat
delete-all = Eliminar todo
delete-all-menu = Eliminar todo…
delete-all-title = ¿Eliminar todo?
delete-all-about = Para siempre y en todos tus dispositivos.
delete-all-goes = Lo que desaparece
all-conversations-go = Todos los chats, también los archivados, los temporales y los que están en carpetas
all-answers-go = Las respuestas que se están escribiendo: se detienen
all-files-go = Tus archivos y colecciones
all-links-go = Todos los enlaces que compartes, también los que debían conservarse
all-imports-go = Las importaciones: las que están en marcha y sus informes
all-drafts-go = En este navegador: los borradores de los chats y las copias para leer sin conexión
delete-all-stays = Lo que se queda
all-prompts-stay = Tus prompts y tu modelo predeterminado
all-choices-stay = La apariencia, el idioma y las instrucciones en este navegador
delete-all-words = eliminar todo
delete-all-type = Escribe «{ $words }» o «delete everything» para confirmar
everything-deleted =
    Se ha eliminado todo: { $count ->
        [one] { NUMBER($count) } chat
       *[other] { NUMBER($count) } chats
    }.

## Prompts

prompts = Prompts
no-prompts = Guarda aquí textos que preguntas a menudo
manage-prompts = Prompts…
manage-prompts-about = Crear, cambiar o eliminar
prompts-about = Textos que preguntas a menudo. Escribe / al principio de un mensaje para usar uno, en cualquiera de tus dispositivos.
new-prompt = Nuevo prompt
prompt-name = Nombre
prompt-text = Texto
prompt-example = Resume {"{{"}texto{"}}"} en tres frases.
variables-about = Escribe {"{{"}nombre{"}}"} para lo que cambia. Al usarlo, Tab salta de uno al siguiente.
asks-for = Cambia cada vez: { $names }.
delete-named = Eliminar { $name }
delete-prompt = ¿Eliminar el prompt «{ $name }»?
edit-named = Editar { $name }

## A server without a model

no-model-title = Este servidor aún no tiene un modelo de lenguaje
no-model-found-yet = Busca Ollama, llama.cpp, LM Studio y vLLM en su propio equipo cada medio minuto y no ha encontrado ninguno. Inicia uno y este aviso desaparecerá solo.
try-guide = Preguntar a la guía
add-model = Añadir un modelo
add-model-about = Un servidor de modelos en otro puerto o en otro equipo se indica en unbroken.toml, en la carpeta de datos. Reinicia Unbroken después de un cambio.
ollama-about = Se encuentra solo en el puerto 11434 de este equipo. Si está en otro lugar, cambia la dirección:
llama-cpp-about = Se encuentra solo en el puerto 8080 de este equipo. Si está en otro lugar, cambia la dirección:
openai-compatible = Cualquier servicio compatible con OpenAI
openai-compatible-about = La clave viene de la variable de entorno indicada y se queda en el servidor:
lines-for = Líneas para { $name }
copy-lines-for = Copiar las líneas para { $name }

## The settings

settings = Configuración
settings-sections = Secciones
all-settings = Toda la configuración
appearance = Apariencia
light = Clara
dark = Oscura
system = Sistema
language = Idioma
language-of-browser = Como el navegador
model-and-instructions = Modelo e instrucciones
default-model = Modelo predeterminado
default-model-about = Responde a todo lo que preguntas, en todos tus dispositivos, hasta que elijas otro.
instructions = Instrucciones para cada respuesta
instructions-example = Responde brevemente. Escribo Rust y vivo en Madrid.
instructions-about = Se envían al modelo con cada mensaje nuevo como prompt del sistema. Se guardan solo en este dispositivo.
reading-aloud = Lector de pantalla
announce = El lector de pantalla lee la respuesta
announce-sentences = Frase a frase
announce-end = Al final
announce-off = Nunca
notifications = Notificaciones
notify = Avisarme cuando termine una respuesta larga
notify-blocked = Este navegador no permite notificaciones de esta página. Puedes permitirlas en su configuración para este sitio.
on = Sí
off = No
answer-ready = La respuesta está lista.
data = Datos
data-where = Los chats, los prompts y tu modelo predeterminado se guardan en el servidor desde el que abriste esta página, y en ningún otro lugar.
data-device = Los borradores, la apariencia, el idioma y las instrucciones se guardan en este navegador.
about = Acerca de
about-text = Una respuesta es un registro, no una conexión: ni recargar, ni perder la red, ni reiniciar el servidor hace perder o duplicar una palabra. Todo se queda en el servidor desde el que abriste esta página.
about-guide = La guía está en la aplicación: el modelo «quotes» responde con ella en inglés, citando los pasajes.
