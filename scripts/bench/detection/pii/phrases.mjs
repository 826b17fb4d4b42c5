/**
 * How a value is spoken of. `{}` stands for it. `hinted`: a word nearby says what it is; `bare`: none does.
 * Nothing else in a phrase is a name, a place, a date or the like.
 */
export const PHRASES = {
  CREDIT_CARD: {
    hinted: [
      'Please charge my credit card {} for the balance.',
      'Card number: {}',
      'The payment with Visa {} was declined.',
      'My mastercard is {}, the code follows.',
      'cc on file is {}',
      'He paid by amex {} at the desk.',
    ],
    bare: [
      'The customer typed {} into the field.',
      'Use {} as before.',
      'value {} was stored',
      'It says {} on the slip.',
    ],
    keys: ['card', 'cardNumber', 'credit_card', 'pan'],
  },
  IBAN_CODE: {
    hinted: [
      'Please transfer the amount to IBAN {}.',
      'IBAN: {}',
      'Bank details: {} (same bank as before)',
      'The iban {} belongs to the supplier.',
      'Überweisen Sie bitte auf das Konto {}.',
      'Virement sur le compte {} svp.',
    ],
    bare: ['Send it to {} please.', 'Field 20 contains {}.', 'ref {} ok', 'We noted {} for the refund.'],
    keys: ['iban', 'bankAccount', 'payout_account'],
  },
  US_BANK_NUMBER: {
    hinted: [
      'My checking account number is {}.',
      'Deposit it to bank account {} please.',
      'Acct {} at the same bank',
      'The savings account {} was closed.',
      'Please debit account # {}',
      'Direct deposit goes to account {}.',
    ],
    bare: ['It is {} as far as I know.', 'Her number there is {}.'],
    keys: ['bank_account', 'accountNumber', 'checking_account'],
  },
  CRYPTO: {
    hinted: [
      'Send the bitcoin to {} and tell me.',
      'My btc wallet: {}',
      'Wallet address {} received the coins.',
      'crypto payout -> {}',
    ],
    bare: ['The refund went to {}.', 'Pay {} or wait.', 'dest={}'],
    keys: ['wallet', 'btcAddress', 'payout'],
  },
  US_SSN: {
    hinted: [
      'My social security number is {}.',
      'SSN: {}',
      'Employee ssn {} was entered twice.',
      'Her social security # {} is on the form.',
      'The SSN on the application reads {}.',
    ],
    bare: ['The form shows {} in box 3.', 'She gave {} when asked.', 'id {} on file'],
    keys: ['ssn', 'socialSecurityNumber', 'social_security'],
  },
  US_ITIN: {
    hinted: [
      'The taxpayer has the ITIN {}.',
      'Individual taxpayer identification number: {}',
      'itin {} was assigned by the tax office',
      'His tax id (ITIN) is {}.',
    ],
    bare: ['Box 1 reads {}.', 'They wrote {} on the form.', 'number {} was given'],
    keys: ['itin', 'tax_id', 'taxpayerId'],
  },
  US_PASSPORT: {
    hinted: [
      'Her US passport number is {}.',
      'Passport no. {}',
      'Travelling with passport {} issued by the state department.',
      'The passport {} has expired.',
    ],
    bare: ['The document {} was scanned.', 'It bears {} on the first page.'],
    keys: ['passport', 'passportNumber', 'travel_document'],
  },
  US_DRIVER_LICENSE: {
    hinted: [
      "His driver's license number is {}.",
      'Driver license: {}',
      'DL {} was checked at the counter.',
      'License number {} belongs to the driver.',
      'Drivers license # {} (permit class C)',
    ],
    bare: ['The clerk noted {}.', 'It shows {} on the front.'],
    keys: ['driver_license', 'driversLicense', 'license_number'],
  },
  UK_NHS: {
    hinted: [
      'The NHS number of the patient is {}.',
      'NHS no: {}',
      'National health service record {} was merged.',
      'Patient nhs id {} has an appointment.',
    ],
    bare: ['The record {} was updated.', 'Quote {} when calling.', 'pid {}'],
    keys: ['nhs', 'nhsNumber', 'patient_number'],
  },
  MEDICAL_LICENSE: {
    hinted: [
      'The DEA number of the prescriber is {}.',
      'DEA: {}',
      'Medical license {} is on record.',
      'Prescribed under medical certificate {}.',
    ],
    bare: ['Signed with {}.', 'The pharmacy noted {}.', 'prescriber {}'],
    keys: ['dea', 'deaNumber', 'medical_license'],
  },
  PERSON: {
    hinted: [
      'My name is {} and I have a question.',
      'Dear {}, thanks for your letter.',
      'Please speak to Dr. {} about the results.',
      'The account manager is {}.',
      'Patient: {}',
      'Ms {} will call back.',
      'Hi {}, are you there?',
    ],
    bare: [
      '{} asked for a refund.',
      'The parcel was signed for by {}.',
      'We met {} at the conference.',
      'According to {}, the window is broken.',
      'Assigned to {} by the system.',
      'I will ask {} to help.',
    ],
    keys: ['name', 'fullName', 'customer', 'contact_person'],
  },
  EMAIL_ADDRESS: {
    hinted: ['Write an e-mail to {} for help.', 'Email: {}', 'My email address is {}.', 'Contact: {}, if need be.'],
    bare: ['Forward it to {} please.', 'Login {} failed.', 'cc <{}>', 'Send ({}) a copy.', 'user={};role=admin'],
    keys: ['email', 'mail', 'contact', 'login'],
  },
  PHONE_NUMBER: {
    hinted: [
      'Call me on {} please.',
      'Phone: {}',
      'My mobile number is {}.',
      'Tel. {}',
      'You can reach the office by telephone under {}.',
      'Fax and phone: {}',
      'Telefon: {}',
      'Tél. : {}',
    ],
    bare: ['It is {} if you need it.', 'Use {} instead.', 'She left {} with the desk.'],
    keys: ['phone', 'mobile', 'tel', 'phoneNumber'],
  },
  LOCATION: {
    hinted: [
      'She lives in {} with two cats.',
      'Shipping address: {}',
      'The office is located in {}.',
      'We flew to {} for the fair.',
      'Born in {}, raised elsewhere.',
    ],
    bare: [
      '{} was cold and wet.',
      'The offer from {} looks better.',
      'Our branch near {} is closed.',
      'Delivery to {} is free.',
    ],
    keys: ['city', 'address', 'location', 'country'],
  },
  NRP: {
    hinted: [
      'The applicant holds {} citizenship.',
      'Nationality: {}',
      'Religion stated on the form: {}',
      'He is a member of a {} group.',
      'She identifies as {}.',
    ],
    bare: ['A {} family moved in.', 'The {} delegation was late.', 'Many {} voters were asked.'],
    keys: ['nationality', 'religion', 'citizenship'],
  },
  IP_ADDRESS: {
    hinted: ['The client ip address is {}.', 'IP: {}', 'Blocked ip {} at the firewall.', 'src_ip={} proto=tcp'],
    bare: ['Connected to {} on the first try.', 'host {} is unreachable', 'from {} port 443', '[{}] accepted'],
    keys: ['ip', 'remoteAddress', 'client_ip', 'host'],
  },
  URL: {
    hinted: ['Visit the website {} for more.', 'URL: {}', 'The link {} is broken.', 'Docs are on the page {} now.'],
    bare: ['See {} for the rest.', 'GET {} took a while.', 'Found it ({}).', 'Redirected from {} twice.'],
    keys: ['url', 'website', 'homepage', 'link'],
  },
  DATE_TIME: {
    hinted: ['Date of birth: {}', 'The appointment is on {}.', 'Due date: {}', 'She was born on {}.'],
    bare: ['It was shipped {} by the depot.', 'Last seen {} by the guard.', 'We start {} as agreed.', 'stamp {} done'],
    keys: ['date', 'birthday', 'createdAt', 'due_date'],
  },
}

export const TYPES = Object.keys(PHRASES)

/** Types that nobody could tell from a plain number without a word nearby. */
export const NEEDS_HINT = new Set(['US_BANK_NUMBER', 'US_PASSPORT', 'US_DRIVER_LICENSE'])
