import styles from './person-names.module.css';

interface PersonNamesProps {
  name: string;
  /** Below it, in small. */
  note: string;
}

/** Who somebody is, in a row of a list. */
export function PersonNames({ name, note }: PersonNamesProps) {
  return (
    <span className={styles['names']}>
      <strong dir="auto">{name}</strong>
      <small>{note}</small>
    </span>
  );
}
