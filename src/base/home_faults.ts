import type { FaultRow } from './fault_row.ts'

/** The rows of the table of faults that speak of homes and of copies of them. */
export const HOME_FAULTS = {
  'home.locked': {
    status: 500,
    exit: 75,
    title: 'Another process holds this home.',
    hint: 'Stop it, or give another folder with --home DIR.',
  },
  'home.unwritable': {
    status: 500,
    exit: 73,
    title: 'The home folder cannot be written.',
    hint: 'Give the folder to this user, or another one with --home DIR.',
  },
  'home.exposed': {
    status: 500,
    exit: 77,
    title: 'Others could change what is in the home folder.',
    hint: 'Run "chmod go-w" on the folder, and see that it belongs to the user that runs the door.',
  },
  'home.damaged': {
    status: 500,
    exit: 65,
    title: 'A file in the home folder is missing or damaged.',
    hint: 'Restore the home from a copy; do not delete the rest.',
  },
  'home.newer': {
    status: 500,
    exit: 78,
    title: 'The home was written by a newer Gatehouse.',
    hint: 'Start that program, or restore a backup from before the upgrade: gatehouse restore SOURCE.',
  },
  'home.occupied': {
    status: 500,
    exit: 73,
    title: 'The folder to restore into is not empty.',
    hint: 'Give another folder with --home DIR, or move the old home aside with --force.',
  },
  'copy.failed': {
    status: 500,
    exit: 74,
    title: 'Files could not be read or written.',
    hint: 'See that there is space and that this user may read and write there, and run it again: it goes on where it stopped.',
  },
  'backup.key': {
    status: 500,
    exit: 77,
    title: 'The key does not open this backup.',
    hint: 'Give the passphrase or the key file that the backup was made with.',
  },
  'backup.foreign': {
    status: 409,
    exit: 73,
    title: 'The folder holds a backup that this home does not continue.',
    hint: 'Name another folder for this home. Only where nobody needs what the folder holds: --delete-other-backup.',
  },
  'backup.damaged': {
    status: 500,
    exit: 65,
    title: 'The backup is not whole.',
    hint: 'Where its home still is, run gatehouse backup --repair into it; else take another copy of it. One that was only cut short is completed by gatehouse backup.',
  },
} as const satisfies Record<string, FaultRow>
