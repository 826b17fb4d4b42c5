import type { Ungrouped } from './pattern.js'

/** Of the European Union, and of the United Kingdom. */
export const EU_IDENTIFIERS: readonly Ungrouped[] = [
  {
    id: 'uk-nhs-number',
    title: 'UK NHS number, checked',
    pattern: '\\b[0-9]{3}[ -][0-9]{3}[ -][0-9]{4}\\b',
    check: 'nhs',
    source: 'https://www.datadictionary.nhs.uk/attributes/nhs_number.html',
  },
  {
    id: 'uk-nino',
    title: 'UK national insurance number',
    pattern:
      '\\b(?:[ACEHJLMOPRSWXY][A-CEGHJ-NPR-TW-Z]|B[A-CEHJ-NPR-TW-Z]|G[ACEGHJ-NPR-TW-Z]|[KT][A-CEGHJ-MPR-TW-Z]|N[A-CEGHJL-NPR-SW-Z]|Z[A-CEGHJ-NPR-TW-Y])' +
      ' ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]\\b',
    source: 'https://www.gov.uk/hmrc-internal-manuals/national-insurance-manual/nim39110',
  },
  {
    id: 'de-tax-id',
    title: 'German tax identification number, checked',
    pattern: '\\b[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}\\b',
    check: 'steuerId',
    source:
      'https://www.bzst.de/DE/Privatpersonen/SteuerlicheIdentifikationsnummer/steuerlicheidentifikationsnummer_node.html',
  },
  {
    id: 'fr-nir',
    title: 'French social security number, checked',
    pattern: '\\b[12] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[2-9][0-9]) ?(?:[0-9]{2}|2[ABab]) ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}\\b',
    check: 'nir',
    source: 'https://www.insee.fr/fr/metadonnees/definition/c1409',
  },
  {
    id: 'es-dni-nie',
    title: 'Spanish DNI or NIE, checked',
    pattern: '\\b(?:[0-9]{8}|[XYZ][- ]?[0-9]{7})[- ]?[A-HJ-NP-TV-Z]\\b',
    check: 'dni',
    source:
      'https://www.interior.gob.es/opencms/es/servicios-al-ciudadano/tramites-y-gestiones/dni/calculo-del-digito-de-control-del-nif-nie/',
  },
  {
    id: 'it-codice-fiscale',
    title: 'Italian codice fiscale, checked',
    pattern: '\\b[A-Z]{6}[0-9LMNP-V]{2}[ABCDEHLMPRST][0-9LMNP-V]{2}[A-Z][0-9LMNP-V]{3}[A-Z]\\b',
    ignoreCase: true,
    check: 'codiceFiscale',
    source: 'https://www.agenziaentrate.gov.it/portale/schede/istanze/richiesta-ts_cf/informazioni-codificazione-pf',
  },
  {
    id: 'nl-bsn',
    title: 'Dutch citizen service number behind its name, checked',
    pattern: '\\b(?:BSN|burgerservicenummer|sofinummer)[ ]?[:=]?[ ]?[0-9]{4}\\.?[0-9]{2}\\.?[0-9]{3}\\b',
    ignoreCase: true,
    check: 'bsnBehindLabel',
    source: 'https://www.rvig.nl/burgerservicenummer',
  },
  {
    id: 'pl-pesel',
    title: 'Polish PESEL, checked',
    pattern: '\\b[0-9]{11}\\b',
    check: 'pesel',
    source: 'https://www.gov.pl/web/gov/czym-jest-numer-pesel',
  },
  {
    id: 'be-national-number',
    title: 'Belgian national register number, checked',
    pattern: '\\b[0-9]{2}\\.[0-9]{2}\\.[0-9]{2}-[0-9]{3}\\.[0-9]{2}\\b',
    check: 'rijksregister',
    source: 'https://www.ibz.rrn.fgov.be/en/national-register/',
  },
  {
    id: 'se-personnummer',
    title: 'Swedish personal identity number, checked by Luhn',
    pattern: '\\b(?:19|20)?[0-9]{2}(?:0[1-9]|1[0-2])(?:[0-2][0-9]|3[01]|[6-9][0-9])[-+][0-9]{4}\\b',
    check: 'personnummer',
    source: 'https://www.skatteverket.se/privat/folkbokforing/personnummer.4.3810a01c150939e893f18c29.html',
  },
  {
    id: 'fi-hetu',
    title: 'Finnish personal identity code, checked',
    pattern: '\\b[0-3][0-9][01][0-9]{3}[-+A-FU-Y][0-9]{3}[0-9A-FHJ-NPR-Y]\\b',
    check: 'hetu',
    source: 'https://dvv.fi/en/personal-identity-code',
  },
  {
    id: 'ie-pps',
    title: 'Irish PPS number, checked',
    pattern: '\\b[0-9]{7}[A-W][A-IW]?\\b',
    check: 'pps',
    source: 'https://www.gov.ie/en/department-of-social-protection/services/get-a-personal-public-service-pps-number/',
  },
  {
    id: 'eu-vat-number',
    title: 'VAT number behind its name',
    pattern:
      '\\b(?:VAT|USt-?IdNr\\.?|TVA|BTW|IVA|MwSt)(?:[ -]?(?:ID|no\\.?|number|reg))?[ ]?[:=#]?[ ]?(?:ATU[0-9]{8}|BE[01][0-9]{9}|BG[0-9]{9,10}|CY[0-9]{8}[A-Z]|CZ[0-9]{8,10}|DE[0-9]{9}|DK[0-9]{8}|' +
      'EE[0-9]{9}|EL[0-9]{9}|ES[A-Z0-9][0-9]{7}[A-Z0-9]|FI[0-9]{8}|FR[A-Z0-9]{2}[0-9]{9}|HR[0-9]{11}|HU[0-9]{8}|IE[0-9A-Z]{8,9}|IT[0-9]{11}|LT[0-9]{9}(?:[0-9]{3})?|LU[0-9]{8}|LV[0-9]{11}|' +
      'MT[0-9]{8}|NL[0-9]{9}B[0-9]{2}|PL[0-9]{10}|PT[0-9]{9}|RO[0-9]{2,10}|SE[0-9]{12}|SI[0-9]{8}|SK[0-9]{10})\\b',
    check: 'behindLabel',
    source: 'https://ec.europa.eu/taxation_customs/vies/',
  },
]
