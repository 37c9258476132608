/**
 * Which words have which meaning, as far as it matters for harm? A word's class replaces it in the classifier's n-grams, so that what was
 * learned about one group, insult or way to kill holds for all of them. Singular or base forms; word-forms.ts knows the endings.
 *
 * This file has to name slurs to recognise them. Sources: common knowledge, read against HateCheck's documented functionalities
 * (Röttger et al. 2021); no list was copied.
 */
export const wordClasses = {
  /** People by a protected characteristic, as a noun. */
  group: `woman women girl female lady muslim islam jew jewish jews hindu sikh christian catholic buddhist atheist immigrant migrant
    refugee foreigner asylum homosexual lesbian lgbt lgbtq bisexual transgender transsexual transwoman transman africans african
    arab asian chinese mexican indian pakistani hispanic latino latina turk gypsy roma romani pole russian ukrainian irish somali
    nigerian iraqi syrian palestinian israeli korean japanese vietnamese filipino aboriginal indigenous minority handicapped autistic
    elderly blacks whites gays disabled lgbtqia nonbinary feminist`,
  /** The same as adjectives: they refer to a person only before `people` and the like. */
  trait: `black gay trans brown white queer deaf blind islamic muslim jewish asian coloured colored arab female disabled homosexual
    transgender lesbian handicapped african chinese mexican indian hispanic foreign autistic`,
  person: `people person man men folk guy life lives community individual citizen human being they them race body bodies throat`,
  slur: `nigger nigga negro faggot tranny kike wetback spic chink gook raghead towelhead sandnigger paki beaner shemale
    retard mongoloid coon jigaboo pickaninny golliwog darkie kaffir wog abo redskin zipperhead jap muzzie mudslime goatfucker
    camelfucker cameljockey libtard fucktard trumptard spastic ladyboy poofter heeb yid whore slut thot trannie`,
  /** Slurs that have a harmless meaning as often. */
  ambiguous: `fag dyke queer cripple mong hoe bint cracker gyp homo fairy queen bitch ape monkey savage lefty`,
  insult: `idiot moron stupid dumb dumbass imbecile cretin loser pathetic worthless useless scumbag asshole arsehole prick dickhead
    bastard twat cunt wanker jackass douche douchebag shithead fuckhead motherfucker ignorant brainless clown fool creep pig coward
    liar freak weirdo ugly fat disgusting despicable repugnant repulsive vile nasty sick sickening stink filthy dirty inferior lesser
    annoying violent cruel evil crazy insane braindead wanna-be degenerate pervert pedophile paedophile pedo traitor nazi fascist
    fraud disgrace joke turd dipshit bullshit bs hypocrite garbage puke`,
  dehumanise: `vermin rat cockroach roach filth scum trash parasite cancer plague disease virus animal subhuman leech pest maggot insect
    swarm infest invade swine dog pollute`,
  hate: `hate despise detest loathe disgust contempt scorn hatred abhor resent cringe`,
  profanity: `fuck shit damn fucking fck wtf crap goddamn bloody piss pissed ass stfu ffs fuckin motherfucking bugger`,
  kill: `kill murder slaughter exterminate execute behead eradicate hang lynch shoot gun stab strangle drown burn gas slay assassinate
    decapitate genocide annihilate butcher massacre bomb exterminated eliminate culling cull choke dismember`,
  hurt: `hurt beat punch rape torture suffer attack smash kick bash slap whip maim cripple harm injure wound assault abuse pain crush
    castrate deport punish kidnap bleed`,
  die: `die dead death died dying dies grave funeral`,
  deserve: `deserve ought should must`,
  sexual: `cock pussy cum cumming blowjob handjob dick penis vagina clit clitoris tits titties boob boobs nipple porn porno xxx nude nudes
    escort milf horny orgasm masturbate dildo vibrator fuckable creampie gangbang threesome bdsm hentai deepthroat anal cunnilingus
    fellatio erection ejaculate slutty whoring camgirl stripper squirt bukkake fetish bondage erotic erotica upskirt
    bareback semen sperm pornhub onlyfans pussies`,
  sensual: `sexy sex naked breast moan seduce undress strip panties lick suck thigh caress busty mistress aroused arousal lust booty
    butt ass intimate sensual hookup kinky lingerie webcam`,
  minor: `child children kid teen teenager underage preteen schoolgirl schoolboy loli lolita toddler minor infant baby daughter son boy
    girl stepdaughter stepson niece nephew pupil teenage juvenile jailbait`,
  suicide: `suicide suicidal selfharm overdose`,
  blade: `razor wrist pill scar noose anorexia anorexic bulimia starve`,
  weapon: `bomb gun knife rifle explosive grenade pistol firearm weapon bullet ammo ammunition detonator silencer napalm c4 tnt landmine explosives
    sarin ricin anthrax nerve pipebomb molotov machete`,
  gore: `blood bloody gore guts entrails intestine flesh corpse severed mutilate dismember skull brains gouge limb carcass wound bleed
    disembowel gash splatter spurt bone organ`,
  drug: `meth methamphetamine cocaine heroin fentanyl mdma ecstasy lsd crack ketamine ghb opioid`,
  crime: `hack shoplift launder laundering forge counterfeit smuggle ransomware phishing keylogger malware blackmail hotwire stolen steal
    theft fraud scam hitman poison burglary burgle extort swatting ddos spyware botnet exploit terrorist terrorism jihad kidnapping
    trafficking pickpocket rob robbery bribe forged arson`,
  make: `make build create produce synthesize synthesise cook manufacture assemble construct convert brew grow print mix buy obtain
    acquire sell hide plan commit`,
  ask: `how instruction instructions step steps recipe guide tutorial tell give teach explain where which show method methods tip tips
    best quickest ways`,
  evade: `caught noticing notice unnoticed untraceable undetected police traces trace illegally secretly detection authorities cops
    background prescription`,
  you: `you your youre u ur ya yall yourself youve youll yours`,
  i: `i im ive id my me mine ill`,
  myself: `myself`,
  they: `they them their theyre those these theyll him her he she his hers`,
  all: `all every everyone everybody any most each entire`,
  negation: `not no never dont doesnt didnt cant cannot wont wouldnt shouldnt isnt arent aint nobody none without stop neither nor
    wasnt werent hasnt havent`,
  /** Words about speech: a text about hateful speech is mostly not hateful itself. */
  report: `say said saying says call called calling write wrote writing statement comment tweet post word slur phrase term stuff
    bigoted bigot racist sexist homophobic transphobic hateful`,
  against: `condemn condone condoned unacceptable wrong banned ban reported tolerate tolerance horrible disgrace support protect stand
    counter oppose denounce respect`,
  love: `love like admire amazing wonderful blessing great proud beautiful support fantastic adore hug respect thank thanks lucky
    brilliant friend friendly welcome celebrate inspire inspiring enjoy happy dear kind kindness equal equality glad delight talented
    marry married date help hero appreciate trust honour honor pride awesome lovely`,
} as const;
export type WordClass = keyof typeof wordClasses;

/** Common words of any text: a run of letters without blanks is cut into these and the words above. */
export const commonWords = `a about after again all also am an and any are as at back be because been before being but by came can come could
  day did do does down each even ever every for from get give go going good got had has have he her here him his how i if in into is
  it its just keep kind know let like little look made make man many may me more most much must my need new no not nothing now of off
  old on once one only or other our out over own part people place really right same see she should so some still such take than that
  the their them then there these they thing think this those time to too two under up us use very want was way we well went were what
  when where which while who why will with work world would year you your absolute country never typical single word kinds stand
  deserve better whole much least lot few next`;

/** English words that look like misspellings or parts of words above; found by comparison with benign texts. */
export const innocentWords = `therapist therapists analyst manslaughter essex sussex scunthorpe penistone cocktail peacock hancock dickens dickinson assassin
  grape grapes drape scrape trapeze skill skills begun shooting shoot diet diets audience studied died dying hoes shoes
  classes passes bass grass compass harass ramen omen specimen carbon count country account mount forum musing peculiar grass mass
  pass class glass brass hell hello shell cool could shit shift shirt sect sort short shot shut shirts whole wore there where horse
  horses house houses shore shores spice spices space grasp coin coins corn cons con fat flat plat rate rates crate chin chins chick
  thick kites kite wolf worm work worth pole poles slave slaves save saves safe cast slot slots slit plague league vague dental
  mental metal message massage beats beast breast best brat rants ants pants gays guys gas gasp hats heat heater hater water scar
  scare score scum sperm spasm killed skilled diseases decease decrease release fate filth fifth faith infest invest invert
  trashed crash trash stash ash wish fish dish bomb comb tomb womb sauce cause murmur murder order ruler hang change hand handle
  hanging changing ranging sick stick slick suck stuck such kick quick bleed bled bred breed bled shooter nose gave down rather gust gusts pure back left fair seen moon sever severe sine sink sinks lose loses violet
  strange single iris trust trusts pick picks bind binds reset resets pens pets shots boot stare depot foreign trade resent money
  transit abreast button buttons shinbone backbone blowout blowdown overhang hangover upbeat painkiller painkillers bloodshot
  afterburner afterburning overshoot undershoot outstripped father fathers mother painting painful assist assistant assume assign
  assort assent assert asset assets buttress breastplate harmonic dumbbell shitake swordfish blackberry blackboard blackmail
  blacksmith whitewash womanhood manhood girlfriend boyfriend goddess
  among something fore seal japan amass diego indie assam morn updating heaping ratan busy beta iii transitive adumbrated apathetic
  underrated overrated cares ibrahim garage abrasive entails mona noses virginia indiana arabia`;
