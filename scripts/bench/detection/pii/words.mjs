const words = (text) =>
  text
    .trim()
    .split(/\s*\|\s*|\n\s*/)
    .filter(Boolean)

export const FIRST = words(`
  James|Mary|Robert|Patricia|John|Jennifer|Michael|Linda|David|Elizabeth|William|Barbara|Richard|Susan|Joseph|Jessica
  Thomas|Karen|Charles|Sarah|Daniel|Nancy|Matthew|Lisa|Anthony|Margaret|Mark|Sandra|Steven|Ashley|Paul|Emily|Andrew
  Donna|Joshua|Michelle|Kevin|Carol|Brian|Amanda|George|Melissa|Edward|Deborah|Ronald|Stephanie|Timothy|Rebecca|Jason
  Laura|Oliver|Charlotte|Harry|Isla|Nigel|Gemma|Alistair|Siobhan|Padraig|Fiona|Hans|Ingrid|Jürgen|Heike|Lukas|Anneliese
  François|Élodie|Mathieu|Camille|Jean|Margaux|Carlos|Lucía|Javier|Pilar|Miguel|Inés|Giovanni|Chiara|Luca|Francesca
  Pieter|Sanne|Joost|Anouk|Sven|Astrid|Mikkel|Freja|Aino|Juha|Piotr|Agnieszka|Tomasz|Zofia|Ivan|Olga|Dmitri|Natalia
  Mehmet|Ayşe|Emre|Zeynep|Mohammed|Fatima|Omar|Aisha|Hassan|Layla|Yusuf|Noura|Rahul|Priya|Arjun|Ananya|Vikram|Deepika
  Wei|Mei|Jian|Xiu|Hiroshi|Yuki|Kenji|Sakura|Min-jun|Seo-yeon|Nguyen|Linh|Chinedu|Ngozi|Kwame|Ama|Thabo|Nomsa|Tariro
  João|Beatriz|Thiago|Larissa|Mateus|Renata|Ariel|Noa|Moshe|Tamar|Kofi|Abena|Santiago|Valentina|Diego|Camila
`)

export const LAST = words(`
  Smith|Johnson|Williams|Brown|Jones|Garcia|Miller|Davis|Rodriguez|Martinez|Hernandez|Lopez|Gonzalez|Wilson|Anderson
  Taylor|Moore|Jackson|Martin|Lee|Perez|Thompson|White|Harris|Sanchez|Clark|Ramirez|Lewis|Robinson|Walker|Young|Allen
  King|Wright|Scott|Torres|Nguyen|Hill|Flores|Green|Adams|Nelson|Baker|Hall|Rivera|Campbell|Mitchell|Carter|Roberts
  O'Brien|O'Connor|MacDonald|McAllister|Fitzgerald|Pemberton|Ashworth|Whitfield|Hargreaves|Lockwood|Müller|Schmidt
  Schneider|Fischer|Weber|von Hagen|Krüger|Dupont|Lefèvre|Moreau|Girard|Rousseau|de la Cruz|Fernández|Ortega|Navarro
  Rossi|Bianchi|Ferrari|Esposito|van den Berg|de Vries|Jansen|Andersson|Lindqvist|Nielsen|Virtanen|Kowalski|Nowak
  Wiśniewska|Ivanov|Petrova|Sokolov|Yılmaz|Demir|al-Rashid|Haddad|Khalil|Rahman|Sharma|Patel|Iyer|Banerjee|Reddy
  Chen|Wang|Zhang|Liu|Tanaka|Suzuki|Watanabe|Kim|Park|Tran|Okafor|Adeyemi|Mensah|Dlamini|Moyo|Silva|Oliveira|Pereira
  Cohen|Levi|Katz|Boateng|Castillo|Morales|Vargas|Delgado
`)

export const PLACES = words(`
  London|Manchester|Edinburgh|Cardiff|Bristol|Leeds|Dublin|Belfast|Paris|Lyon|Marseille|Toulouse|Berlin|Hamburg|Munich
  Frankfurt|Cologne|Vienna|Zurich|Geneva|Madrid|Barcelona|Seville|Lisbon|Porto|Rome|Milan|Naples|Turin|Amsterdam
  Rotterdam|Brussels|Antwerp|Copenhagen|Stockholm|Oslo|Helsinki|Warsaw|Kraków|Prague|Budapest|Bucharest|Athens|Istanbul
  Ankara|Moscow|Kyiv|New York|Los Angeles|Chicago|Houston|Phoenix|San Diego|Dallas|Austin|Seattle|Denver|Boston|Atlanta
  Miami|Detroit|Portland|Sacramento|Minneapolis|Pittsburgh|Cincinnati|Springfield|Toronto|Vancouver|Montreal|Ottawa
  Calgary|Mexico City|Guadalajara|Bogotá|Lima|Santiago|Buenos Aires|São Paulo|Rio de Janeiro|Montevideo|Cairo|Lagos
  Nairobi|Accra|Johannesburg|Cape Town|Casablanca|Addis Ababa|Dubai|Riyadh|Tel Aviv|Tehran|Karachi|Mumbai|Delhi|Bangalore
  Chennai|Kolkata|Dhaka|Bangkok|Hanoi|Singapore|Jakarta|Manila|Hong Kong|Shanghai|Beijing|Shenzhen|Taipei|Seoul|Busan
  Tokyo|Osaka|Kyoto|Sydney|Melbourne|Brisbane|Perth|Auckland|Wellington
  United Kingdom|France|Germany|Spain|Italy|Portugal|Netherlands|Belgium|Switzerland|Austria|Poland|Sweden|Norway|Finland
  Denmark|Ireland|Greece|Turkey|Ukraine|Canada|Mexico|Brazil|Argentina|Chile|Colombia|Peru|Egypt|Nigeria|Kenya|Ghana
  South Africa|Morocco|Ethiopia|Saudi Arabia|Israel|Iran|Pakistan|India|Bangladesh|Thailand|Vietnam|Indonesia|Philippines
  China|Taiwan|South Korea|Japan|Australia|New Zealand|California|Texas|Florida|Ohio|Oregon|Nevada|Massachusetts|Ontario
  Bavaria|Catalonia|Tuscany|Brittany|Yorkshire|Cornwall|Queensland|Punjab
`)

export const STREETS = words(
  'Maple Street|Oak Avenue|High Street|Station Road|Church Lane|Park Avenue|Elm Street|Victoria Road',
)

/** Nationalities, religions, political groups. */
export const GROUPS = words(`
  American|British|French|German|Spanish|Italian|Portuguese|Dutch|Belgian|Swiss|Austrian|Polish|Swedish|Norwegian|Finnish
  Danish|Irish|Greek|Turkish|Ukrainian|Russian|Canadian|Mexican|Brazilian|Argentine|Chilean|Colombian|Peruvian|Egyptian
  Nigerian|Kenyan|Ghanaian|South African|Moroccan|Ethiopian|Saudi|Israeli|Iranian|Pakistani|Indian|Bangladeshi|Thai
  Vietnamese|Indonesian|Filipino|Chinese|Taiwanese|Korean|Japanese|Australian|Syrian|Iraqi|Afghan|Lebanese|Cuban
  Christian|Catholic|Protestant|Muslim|Jewish|Hindu|Buddhist|Sikh|Baptist|Methodist|Lutheran|Mormon|Sunni|Shia
  Republican|Democrat|Conservative|Labour|Liberal Democrat|Social Democrat|Communist|Socialist
`)

/** Words that are also names or places; never meant as such where they stand. */
export const DECOYS = words(`
  Mark the task as done before you close it.|Will the build finish at all?|The grant was approved by the board.
  Please chase the invoice and bill the client.|Rob the cache of its oldest entries.|May the best proposal win.
  The turkey sandwich is sold out.|He wore a jersey over a polo shirt.|Put the china in the dishwasher.
  The java process used all of the memory.|Reading the manual is advised.|We need an april fools banner for the site.
  The nice thing about the cologne is its scent.|A frank answer is better than none.|Drew a circle around the number.
  Pat the dough dry and let it rest.|Hunter green is out of stock.|The page faith in numbers was removed.
  Grace period applies to every invoice.|A jack of all trades was hired for the stage.|Chase the cursor with the mouse.
  The sterling silver ring was returned.|Rich text is kept, plain text is not.|The basil plant needs water.
`)

export const DOMAINS = words(`
  example.com|example.org|example.net|mail.example.co.uk|acme-widgets.com|northwind.io|contoso.de|fabrikam.fr|uni-musterstadt.de
  globex.co.jp|initech.com.au|umbrella.org|hooli.dev|stark.industries|wayne.agency|blue-harbor.ca|softline.ru|vitale.it
  puertoalto.es|tulpenhof.nl|fjordlys.no|kaffe.se|riobello.com.br|kopitiam.sg|himalaya.in|gov.example.gov|campus.example.edu
  clinic.health|lovely.photography|studio.app|secure-pay.bank|old.museum|xn--bcher-kva.example.ch|data.eu
`)

export const NOUNS = words(`
  order|parcel|ticket|module|report|invoice|draft|queue|cluster|window|release|backup|pipeline|garden|kettle|bicycle
  printer|license|widget|catalog|session|meeting|proposal|budget|contract|shipment|warehouse|device|sensor|battery
`)

export const FILLERS = words(`
  The build is green and the cache was warmed.|Nothing else has changed in this release.|See the attached file for the details.
  The meeting room has been booked.|Shipping is free above a certain amount.|Please answer in the same thread.
  The dashboard shows the numbers for each team.|All items are in stock and can be sent.|The customer asked for a refund.
  It works on my machine, but not on the other one.|Our support staff will look into the matter.|Thanks for your patience!
  The form has been filled in and signed.|We could not find a record with that key.|Kindly confirm that you got this message.
  🎉 The launch went well.|The café is closed for repairs.|Ça marche — no further action is needed.|👩‍💻 reviewed and merged.
  The test suite has no failures.|Retry with a longer timeout.|The price includes tax and delivery.|A new cable is on its way.
`)
